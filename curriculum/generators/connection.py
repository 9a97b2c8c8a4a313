"""Requests to a server that are sent again where that may help."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import ClientError, ClientSession, ClientTimeout, InvalidURL, TCPConnector
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

log = logging.getLogger(__name__)

PASSING = {408, 409, 429}  # and 5xx: what may be gone the next time
PAUSES = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 1)  # seconds
KEEP_ALIVE = 2.0  # seconds that an idle connection is used again; many servers close it after 5
MOST_SAID = 1000  # characters of a server's error


class NoAnswer(Exception):
    """Why a request has no answer, in words that don't hold the key.

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
    key: str
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
        parts = urlsplit(url)
        direct = proxy_bypass(parts.hostname or "")
        async with ClientSession(
            connector=TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE),
            timeout=ClientTimeout(total=timeout),
            headers={"Authorization": f"Bearer {key}"} if key else None,
            proxy=None if direct else getproxies().get(parts.scheme),
        ) as session:
            yield cls(session, url.rstrip("/"), key, retries)

    async def get(self, path: str) -> bytes:
        """What is there. Raises NoAnswer where all attempts fail."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> bytes:
        """The answer to a JSON body. Raises NoAnswer where all attempts fail."""
        return await self._ask("POST", path, body)

    def redacted(self, text: str) -> str:
        """It without the key."""
        return text.replace(self.key, "***") if self.key else text

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
        try:
            async with self.session.request(method, self.url + path, json=body) as response:
                content = await response.read()
        except (ClientError, TimeoutError) as error:
            said = "timed out" if isinstance(error, TimeoutError) else str(error)
            passing = not isinstance(error, InvalidURL)
            raise NoAnswer(self.redacted(said or repr(error)), None, passing) from None
        if response.ok:
            return content
        status = response.status
        raise NoAnswer(
            self.redacted(_readable(content))[:MOST_SAID],
            status,
            status in PASSING or status >= 500,
            _seconds(response.headers.get("Retry-After", "")),
        )

    def _say(self, state: RetryCallState) -> None:
        error = _error_of(state)
        log.info(
            *("%s (%s): %s; again in %.1f s", self.url, error.status or "no answer", error),
            state.upcoming_sleep,
        )


def _error_of(state: RetryCallState) -> NoAnswer:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, NoAnswer)  # nothing else is tried again
    return error


def _pause(state: RetryCallState) -> float:
    return max(PAUSES(state), _error_of(state).pause)


def _seconds(retry_after: str) -> float:
    with suppress(ValueError):  # a date, which few servers give
        return float(retry_after)
    return 0.0


def _readable(content: bytes) -> str:
    """JSON without its escapes, behind which a key may be."""
    try:
        return str(json.loads(content))
    except ValueError:
        return content.decode(errors="replace")
