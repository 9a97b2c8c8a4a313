"""Requests to a server that are sent again where that may help."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

log = logging.getLogger(__name__)

PASSING = {408, 409, 429}  # and 5xx: what may be gone the next time
PAUSES = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 1)  # seconds
KEEP_ALIVE = 2.0  # seconds that an idle connection is used again; many servers close it after 5
LONGEST_PAUSE = 600.0  # seconds, whatever the server says
MOST_SAID = 500  # characters of a server's answer that are shown
LOOPBACK = {"localhost", "127.0.0.1", "::1"}  # never behind a proxy


class NoAnswer(Exception):
    """Why a request has no answer, in words that hold no secret.

    Attributes:
        status: of HTTP; None where there was no answer at all.
        passing: whether it may be gone the next time.
        pause: seconds to wait at least, where the server has said so.
    """

    def __init__(self, said: str, status: int | None, passing: bool, pause: float = 0.0) -> None:
        super().__init__(said)
        self.status, self.passing, self.pause = status, passing, pause


@dataclass(frozen=True)
class Connection:
    """A server, and connections to it that are used again."""

    session: ClientSession
    url: str
    secrets: list[str] = field(repr=False)  # the key, and a proxy's password
    retries: int

    @classmethod
    @asynccontextmanager
    async def to(
        cls, url: str, key: str, *, connections: int, timeout: float, retries: int
    ) -> AsyncIterator[Connection]:
        """Connect as often as needed; close them all at the end.

        Args:
            key: sent as a bearer's; empty: none is.
            timeout: seconds of an attempt.
            retries: further attempts.
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
            yield cls(session, url.rstrip("/"), secrets, retries)

    async def get(self, path: str) -> bytes:
        """What is there. Raises NoAnswer where all attempts fail."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """The answer to a JSON body. Raises NoAnswer where all attempts fail."""
        return await self._ask("POST", path, body)

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

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        attempts = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, NoAnswer) and error.passing),
            stop=stop_after_attempt(self.retries + 1),
            wait=_pause,
            before_sleep=self._say,
            reraise=True,
        )
        return await attempts(self._attempt, method, path, body)

    async def _attempt(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        request = self.session.request(method, self.url + path, json=body, allow_redirects=False)
        try:
            async with request as response:
                content = await response.read()
        except (ClientError, TimeoutError, ValueError) as error:
            # A host that is none is a ValueError; aiohttp has no class of its own for all of them.
            passing = not isinstance(error, ValueError | ClientConnectorCertificateError)
            raise NoAnswer(self._redacted(_cause(error)), None, passing) from None
        status = response.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return content
        moved = response.headers.get("Location")
        raise NoAnswer(
            self._redacted(f"moved to {moved}") if moved else self.readable(content),
            status,
            status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
            _seconds(response.headers.get("Retry-After", "")),
        )

    def _say(self, state: RetryCallState) -> None:
        error, pause = _error_of(state), state.upcoming_sleep
        status = error.status or "no answer"
        log.info("%s (%s): %s; again in %.1f s", self.url, status, error, pause)


def _error_of(state: RetryCallState) -> NoAnswer:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, NoAnswer)  # nothing else is tried again
    return error


def _pause(state: RetryCallState) -> float:
    return PAUSES(state) + _error_of(state).pause


def _seconds(retry_after: str) -> float:
    with suppress(ValueError):  # a date, which few servers give
        if (pause := float(retry_after)) > 0:  # and not "nan"
            return min(pause, LONGEST_PAUSE)
    return 0.0


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
