"""Asking a server that speaks OpenAI's protocol, a bounded number of requests at a time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from curriculum.errors import UserError
from curriculum.generators.base import Batch, Request, Response
from curriculum.generators.prompts import messages_of, plain_text

SEEDS = 1 << 31  # what servers take
KEEP_ALIVE = 2.0  # seconds that an idle connection is used again; many servers close it after 5


@dataclass(frozen=True)
class Client:
    """A server and how it is asked.

    It makes as many samples as a request asks for; where it gives fewer, the rest is asked for
    again. The openai package tries again, with growing pauses, after 408, 409, 429, 5xx, lost
    connections and timeouts.
    """

    url: str
    key: str = field(repr=False)  # empty: the server wants none
    model: str
    sampling: dict[str, Any]  # the same in every request
    chat: bool  # chats to /chat/completions, else texts to /completions
    samples_per_request: int | None
    concurrency: int  # requests
    timeout: float  # seconds for a request
    retries: int

    async def answers(
        self, batches: Iterable[Batch]
    ) -> AsyncGenerator[tuple[Batch, Sequence[Response]], None]:
        """Batches as they are done, enough of them under way to keep the server busy.

        Raises:
            UserError: where the server refuses a request, or goes on failing.
        """
        limit = asyncio.Semaphore(self.concurrency)
        source = iter(batches)
        under_way: dict[asyncio.Task[tuple[Batch, Sequence[Response]]], int] = {}
        async with self._connected() as client:
            try:
                while True:
                    while sum(under_way.values()) < 2 * self.concurrency:
                        batch = next(source, None)
                        if batch is None:
                            break
                        task = asyncio.create_task(self._batch(client, limit, batch))
                        under_way[task] = len(batch.requests)
                    if not under_way:
                        return
                    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        del under_way[task]
                        yield task.result()
            finally:
                for task in under_way:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        from openai import (
            DEFAULT_CONNECTION_LIMITS,
            APIError,
            AsyncOpenAI,
            DefaultAioHttpClient,
        )

        for name in ("httpx", "httpx2"):  # they log a line a request
            logging.getLogger(name).setLevel(logging.WARNING)
        limits = type(DEFAULT_CONNECTION_LIMITS)(
            max_connections=self.concurrency, keepalive_expiry=KEEP_ALIVE
        )
        async with AsyncOpenAI(
            base_url=self.url,
            api_key=self.key or "none",  # it wants one
            max_retries=self.retries,
            timeout=self.timeout,
            http_client=DefaultAioHttpClient(
                limits=limits
            ),  # half the processor time of the default one
        ) as client:
            try:
                await self._require_model(client)
                yield client
            except APIError as error:
                status = getattr(error, "status_code", "no answer")
                said = self._redacted(f"{error} {error.__cause__ or ''}".strip())
                raise UserError(
                    f"the server at {self.url} ({status}; generator.retries={self.retries}, "
                    f"generator.timeout={self.timeout:g}): {said}\n"
                    "What is done is kept: the same command goes on from there."
                ) from None

    async def _require_model(self, client: Any) -> None:
        """Raise UserError where the server lists its models and this one is not among them."""
        from openai import NotFoundError

        try:
            served = [each.id async for each in client.models.list()]
        except NotFoundError:  # not every server lists them
            return
        if served and self.model not in served:
            raise UserError(
                f"the server at {self.url} has no model {self.model} (model.path); "
                f"it has {', '.join(served[:10])}"
            )

    async def _batch(
        self, client: Any, limit: asyncio.Semaphore, batch: Batch
    ) -> tuple[Batch, Sequence[Response]]:
        parts = [part for request in batch.requests for part in self._parts(request)]
        answers = await asyncio.gather(*(self._request(client, limit, *part) for part in parts))
        return batch, [response for answer in answers for response in answer]

    def _parts(self, request: Request) -> list[tuple[Any, int, int]]:
        """(prompt, samples, seed) of each request to the server; sample k has the seed + k."""
        most = self.samples_per_request or request.samples
        return [
            (request.prompt, min(most, request.samples - first), request.seed + first)
            for first in range(0, request.samples, most)
        ]

    async def _request(
        self, client: Any, limit: asyncio.Semaphore, prompt: Any, samples: int, seed: int
    ) -> list[Response]:
        responses: list[Response] = []
        while len(responses) < samples:
            missing, next_seed = samples - len(responses), (seed + len(responses)) % SEEDS
            async with limit:
                answer = await self._ask(client, prompt, {"n": missing, "seed": next_seed})
            responses += answer[:missing]
        return responses

    async def _ask(self, client: Any, prompt: Any, more: dict[str, int]) -> list[Response]:
        body = {"model": self.model, "extra_body": {**self.sampling, **more}}
        if self.chat:
            create = client.chat.completions.with_raw_response.create
            raw = await create(messages=messages_of(prompt), **body)
        else:
            create = client.completions.with_raw_response.create
            raw = await create(prompt=plain_text(prompt), **body)
        return self._read(raw.content)

    def _read(self, content: bytes) -> list[Response]:
        """The responses in an answer, read here: the package's own objects take it too long."""
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        choices = answer.get("choices") if isinstance(answer, dict) else None
        if not choices:
            said = self._redacted(content.decode(errors="replace"))[:200]
            raise UserError(f"the server at {self.url} gave no choices: {said}")
        tokens = (answer.get("usage") or {}).get("completion_tokens") or 0
        return [
            Response(_text(choice), choice.get("finish_reason") or "stop", tokens // len(choices))
            for choice in sorted(choices, key=lambda each: each.get("index", 0))
        ]

    def _redacted(self, text: str) -> str:
        return text.replace(self.key, "***") if self.key else text


def _text(choice: dict[str, Any]) -> str:
    message = choice.get("message")
    return (choice.get("text") if message is None else message.get("content")) or ""
