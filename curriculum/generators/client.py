"""Asking a server that speaks OpenAI's protocol, a bounded number of requests at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curriculum.errors import UserError
from curriculum.generators.base import Batch, Request, Response
from curriculum.generators.prompts import messages_of, plain_text

if TYPE_CHECKING:
    from curriculum.generators.connection import Connection

SEEDS = 1 << 31  # what servers take
LISTS_NONE = (404, 405)  # the status of a server that doesn't list its models


@dataclass(frozen=True)
class Client:
    """A server and how it is asked.

    It makes as many samples as a request asks for; where it gives fewer, the rest is asked for
    again.
    """

    url: str
    key: str = field(repr=False)  # empty: the server wants none
    model: str
    sampling: dict[str, Any]  # the same in every request
    chat: bool  # chats to /chat/completions, else texts to /completions
    samples_per_request: int | None
    concurrency: int  # requests
    timeout: float  # seconds of an attempt
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
        async with self._connected() as connection:
            try:
                while True:
                    while sum(under_way.values()) < 2 * self.concurrency:
                        batch = next(source, None)
                        if batch is None:
                            break
                        task = asyncio.create_task(self._batch(connection, limit, batch))
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
    async def _connected(self) -> AsyncIterator[Connection]:
        from curriculum.generators.connection import Connection, NoAnswer

        try:
            async with Connection.to(
                self.url,
                self.key,
                connections=self.concurrency,
                timeout=self.timeout,
                retries=self.retries,
            ) as connection:
                await self._require_model(connection)
                yield connection
        except NoAnswer as error:
            raise UserError(
                f"the server at {self.url} ({error.status or 'no answer'}; "
                f"generator.retries={self.retries}, generator.timeout={self.timeout:g}): {error}\n"
                "What is done is kept: the same command goes on from there."
            ) from None

    async def _require_model(self, connection: Connection) -> None:
        """Raise UserError where the server lists its models and this one is not among them."""
        from curriculum.generators.connection import NoAnswer

        try:
            listed = _json(await connection.get("/models"))
        except NoAnswer as error:
            if error.status in LISTS_NONE:
                return
            raise
        served = [str(each["id"]) for each in listed.get("data") or []]
        if served and self.model not in served:
            raise UserError(
                f"the server at {self.url} has no model {self.model} (model.path); "
                f"it has {', '.join(served[:10])}"
            )

    async def _batch(
        self, connection: Connection, limit: asyncio.Semaphore, batch: Batch
    ) -> tuple[Batch, Sequence[Response]]:
        parts = [part for request in batch.requests for part in self._parts(request)]
        answers = await asyncio.gather(*(self._request(connection, limit, *part) for part in parts))
        return batch, [response for answer in answers for response in answer]

    def _parts(self, request: Request) -> list[tuple[Any, int, int]]:
        """(prompt, samples, seed) of each request to the server; sample k has the seed + k."""
        most = self.samples_per_request or request.samples
        return [
            (request.prompt, min(most, request.samples - first), request.seed + first)
            for first in range(0, request.samples, most)
        ]

    async def _request(
        self, connection: Connection, limit: asyncio.Semaphore, prompt: Any, samples: int, seed: int
    ) -> list[Response]:
        responses: list[Response] = []
        while len(responses) < samples:
            missing, next_seed = samples - len(responses), (seed + len(responses)) % SEEDS
            async with limit:
                answer = await self._ask(connection, prompt, {"n": missing, "seed": next_seed})
            responses += answer[:missing]
        return responses

    async def _ask(
        self, connection: Connection, prompt: Any, more: dict[str, int]
    ) -> list[Response]:
        body = {"model": self.model, **self.sampling, **more}
        if self.chat:
            path, body["messages"] = "/chat/completions", messages_of(prompt)
        else:
            path, body["prompt"] = "/completions", plain_text(prompt)
        content = await connection.post(path, body)
        answer = _json(content)
        choices = answer.get("choices")
        if not choices:
            said = connection.redacted(content.decode(errors="replace"))[:200]
            raise UserError(f"the server at {self.url} gave no choices: {said}")
        tokens = (answer.get("usage") or {}).get("completion_tokens") or 0
        return [
            Response(_text(choice), choice.get("finish_reason") or "stop", tokens // len(choices))
            for choice in sorted(choices, key=lambda each: each.get("index", 0))
        ]


def _json(content: bytes) -> dict[str, Any]:
    """An object; an empty one for what is none."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _text(choice: dict[str, Any]) -> str:
    message = choice.get("message")
    return (choice.get("text") if message is None else message.get("content")) or ""
