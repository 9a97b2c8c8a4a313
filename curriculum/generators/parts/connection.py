"""Requests to a server that are sent again where that may help."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_exponential, wait_random

log = logging.getLogger(__name__)

T = TypeVar("T")
PASSING = {408, 409, 429}  # and 5xx: what may be gone the next time
OF_REQUEST = {400, 413, 422}  # a prompt that is too long, say: others may be answered
PAUSES = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 1)  # seconds
KEEP_ALIVE = 2.0  # seconds that an idle connection is used again; many servers close it after 5
LONGEST_PAUSE = 600.0  # seconds, whatever the server says
MOST_BYTES = 64 << 20  # of an answer
MOST_SAID = 500  # characters of a server's answer that are shown
LOOPBACK = {"localhost", "127.0.0.1", "::1"}  # never behind a proxy


class NoAnswer(Exception):
    """Why a request has no answer, in words that hold no secret.

    Attributes:
        status: of HTTP; None where there was no answer at all.
        passing: whether it may be gone the next time.
        pause: seconds to wait at least, where the server has said so.
        of_request: whether it is about this request, and others are answered.
    """

    def __init__(
        self,
        said: str,
        status: int | None,
        passing: bool,
        pause: float = 0.0,
        of_request: bool = False,
    ) -> None:
        super().__init__(said)
        self.status, self.passing, self.pause = status, passing, pause
        self.of_request = of_request


class Unusable(Exception):
    """What is wrong with an answer that the server takes for one."""


@dataclass
class _Known:
    """What requests have found of a server."""

    answered: float = -math.inf  # when it last did
    said: set[int | None] = field(default_factory=set)  # status of the troubles that were told


@dataclass(frozen=True)
class Connection:
    """A server, and connections to it that are used again."""

    session: ClientSession
    url: str
    secrets: list[str] = field(repr=False)  # the key, and a proxy's password
    patience: float
    known: _Known = field(default_factory=_Known)

    @classmethod
    @asynccontextmanager
    async def to(
        cls, url: str, key: str, *, connections: int, timeout: float, patience: float
    ) -> AsyncIterator[Connection]:
        """Connect as often as needed; close them all at the end.

        Args:
            key: sent as a bearer's; empty: none is.
            timeout: seconds of an attempt.
            patience: seconds of further attempts after the first that failed.
        """
        proxy = _proxy_to(url)
        password = urlsplit(proxy or "").password or ""
        async with ClientSession(
            connector=TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE),
            timeout=ClientTimeout(total=timeout),
            headers={"Authorization": f"Bearer {key}"} if key else None,
            proxy=proxy,
        ) as session:
            secrets = [each for each in (key, password, unquote(password)) if each]
            yield cls(session, url.rstrip("/"), secrets, patience)

    async def get(self, path: str) -> bytes:
        """What is there. Raises NoAnswer where all attempts fail."""
        return await self._ask("GET", path, None, bytes)

    async def post(self, path: str, body: dict[str, Any], read: Callable[[bytes], T]) -> T:
        """What is read of the answer to a JSON body.

        Args:
            read: raises Unusable where it is none.

        Raises:
            NoAnswer: where all attempts fail.
        """
        return await self._ask("POST", path, body, read)

    def readable(self, content: bytes) -> str:
        """The beginning of an answer, without secrets and the escapes that hide them in JSON."""
        try:
            text = json.dumps(json.loads(content), ensure_ascii=False)
        except ValueError:
            text = content.decode(errors="replace")
        return self._redacted(text)[:MOST_SAID]

    def _redacted(self, text: str) -> str:
        for secret in self.secrets:
            for form in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(form, "***")
        return text.encode(errors="replace").decode()

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, read: Callable[[bytes], T]
    ) -> T:
        patience = _Patience(self.patience)
        attempts = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, NoAnswer) and error.passing),
            stop=patience,
            wait=_pause,
            before_sleep=self._say,
            reraise=True,
        )
        try:
            answer: T = await attempts(self._attempt, method, path, body, read)
        except NoAnswer as error:
            error.of_request |= error.passing and self.known.answered > patience.began
            raise
        self.known.answered = time.monotonic()
        return answer

    async def _attempt(
        self, method: str, path: str, body: dict[str, Any] | None, read: Callable[[bytes], T]
    ) -> T:
        request = self.session.request(method, self.url + path, json=body, allow_redirects=False)
        try:
            async with request as response:
                content = await _content(response)
        except (ClientError, TimeoutError, ValueError) as error:
            # A host that is none is a ValueError; aiohttp has no class of its own for all of them.
            passing = not isinstance(error, ValueError | ClientConnectorCertificateError)
            raise NoAnswer(self._redacted(_cause(error)), None, passing) from None
        status = response.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            try:
                return read(content)
            except Unusable as error:
                said = f"{error}: {self.readable(content)}"
                raise NoAnswer(said, status, passing=True) from None
        moved = response.headers.get("Location")
        raise NoAnswer(
            self._redacted(f"moved to {moved}") if moved else self.readable(content),
            status,
            status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
            _seconds(response.headers.get("Retry-After", "")),
            of_request=status in OF_REQUEST,
        )

    def _say(self, state: RetryCallState) -> None:
        error, pause = _error_of(state), state.upcoming_sleep
        status = error.status or "no answer"
        first = error.status not in self.known.said  # hundreds of requests meet the same
        self.known.said.add(error.status)
        told = "%s (%s): %s; tried for %g minutes (generator.patience); again in %.1f s"
        level = logging.WARNING if first else logging.DEBUG
        log.log(level, told, self.url, status, error, self.patience / 60, pause)


class _Patience:
    """Ends attempts so many seconds after the first that failed."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.began = seconds, math.inf

    def __call__(self, state: RetryCallState) -> bool:
        self.began = min(self.began, time.monotonic())
        return time.monotonic() - self.began >= self.seconds


async def _content(response: ClientResponse) -> bytes:
    content = bytearray()
    async for read in response.content.iter_chunked(1 << 16):
        content += read
        if len(content) > MOST_BYTES:
            said = f"an answer of more than {MOST_BYTES >> 20} MB"
            raise NoAnswer(said, response.status, passing=False, of_request=True)
    return bytes(content)


def _error_of(state: RetryCallState) -> NoAnswer:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, NoAnswer)  # nothing else is tried again
    return error


def _pause(state: RetryCallState) -> float:
    return PAUSES(state) + _error_of(state).pause


def _seconds(retry_after: str) -> float:
    try:
        pause = float(retry_after)
    except ValueError:
        pause = _until(retry_after)
    return min(pause, LONGEST_PAUSE) if pause > 0 else 0.0  # "nan" is not


def _until(date: str) -> float:
    """Seconds until a date of HTTP's; 0 for what is none."""
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()


def _proxy_to(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK or proxy_bypass(parts.netloc):
        return None
    proxy = getproxies().get(parts.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _cause(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "timed out"
        case ClientConnectorCertificateError():
            return str(error)
        case ClientConnectorError():  # its own words name a default of SSL's, used or not
            return str(error.os_error)
        case ValueError():
            return f"no URL to ask: {error}"
    return str(error) or repr(error)
