"""Asking a server that speaks OpenAI's protocol, a bounded number of requests at a time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curriculum.core.errors import UserError
from curriculum.generators.base import CUT_OFF, Batch, Request, Response
from curriculum.integrations.chats import messages_of, plain_text

if TYPE_CHECKING:
    from curriculum.generators.parts.connection import Connection

SEEDS = 1 << 31  # what servers take
LISTS_NONE = (403, 404, 405)  # the status of a server that doesn't list its models
DATED = r"([-@:](\d{4}-\d\d-\d\d|\d{3,8})|[-:]latest)?"  # versions of a model
FILTERED = "content_filter"
BROKEN_OFF = ("abort", "error")  # neither the model nor the limit has ended such a response

_Part = tuple[Any, int, int]  # prompt, samples, seed; sample k has the seed + k


@dataclass
class _Opened:
    """A batch under way, with the answers to its requests that are there."""

    batch: Batch
    size: int  # requests to the server
    answers: dict[int, list[Response]] = field(default_factory=dict)
    kept: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def responses(self) -> list[Response]:
        return [each for place in range(self.size) for each in self.answers[place]]


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
    patience: float  # minutes of further attempts

    async def answers(
        self, batches: Iterable[Batch]
    ) -> AsyncGenerator[tuple[Batch, Sequence[Response]], None]:
        """Batches as they are done, as many requests under way as there may be.

        What is wrong with one request, or one of its samples, is the error of these responses.

        A request that takes long holds back its own batch and no other. Of batches that have
        begun and that the caller has not come back from, there are at most `concurrency`.

        Raises:
            UserError: where the server refuses a request, or goes on failing.
        """
        parts = self._parts(batches)
        whole: asyncio.Queue[_Opened | None] = asyncio.Queue()

        async def work() -> None:
            for opened, place, (prompt, samples, seed) in parts:
                opened.answers[place] = await self._request(connection, prompt, samples, seed)
                if len(opened.answers) == opened.size:
                    whole.put_nowait(opened)
                    # Whatever happens to this process costs what is under way, and no more.
                    await opened.kept.wait()
                # Answers that come together are all read before the next requests go, so that
                # these come together too: a server computes best what it gets at once.
                await asyncio.sleep(0)

        async with self._connected() as connection:
            workers = [asyncio.create_task(work()) for _ in range(self.concurrency)]
            ended = asyncio.gather(*workers)
            ended.add_done_callback(lambda _: whole.put_nowait(None))
            try:
                while (opened := await whole.get()) is not None:
                    yield opened.batch, opened.responses
                    opened.kept.set()
                await ended
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, ended, return_exceptions=True)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        from curriculum.generators.parts.connection import Connection, NoAnswer

        try:
            async with Connection.to(
                self.url,
                self.key,
                connections=self.concurrency,
                timeout=self.timeout,
                patience=60 * self.patience,
            ) as connection:
                await self._require_model(connection)
                yield connection
        except NoAnswer as error:
            kept = "\nWhat is done is kept: the same command goes on from there."
            raise UserError(
                f"the server at {self.url} ({error.status or 'no answer'}; "
                f"generator.patience={self.patience:g}, generator.timeout={self.timeout:g}): "
                f"{error}{kept if error.passing else ''}"
            ) from None

    async def _require_model(self, connection: Connection) -> None:
        """Raise UserError where the server lists its models and this one is not among them."""
        from curriculum.generators.parts.connection import NoAnswer

        try:
            listed = json.loads(await connection.get("/models"))
            served = [str(each["id"]) for each in listed["data"]]
        except NoAnswer as error:
            if error.status in LISTS_NONE:
                return
            raise
        except (LookupError, TypeError, ValueError):  # a list of its own kind
            return
        if served and self.model not in served:
            raise UserError(
                f"the server at {self.url} has no model {self.model} (model.path); "
                f"it has {', '.join(served[:10])}"
            )

    def _parts(self, batches: Iterable[Batch]) -> Iterator[tuple[_Opened, int, _Part]]:
        """Each request to the server, with its batch and its place there."""
        for batch in batches:
            parts = [part for request in batch.requests for part in self._parts_of(request)]
            opened = _Opened(batch, len(parts))
            for place, part in enumerate(parts):
                yield opened, place, part

    def _parts_of(self, request: Request) -> list[_Part]:
        most = self.samples_per_request or request.samples
        return [
            (request.prompt, min(most, request.samples - first), request.seed + first)
            for first in range(0, request.samples, most)
        ]

    async def _request(
        self, connection: Connection, prompt: Any, samples: int, seed: int
    ) -> list[Response]:
        from curriculum.generators.parts.connection import NoAnswer

        responses: list[Response] = []
        while len(responses) < samples:
            missing, next_seed = samples - len(responses), (seed + len(responses)) % SEEDS
            try:
                answer = await self._ask(connection, prompt, {"n": missing, "seed": next_seed})
            except NoAnswer as error:
                if not error.of_request:
                    raise
                answer = [_failed(f"{error.status or 'no answer'}: {error}")] * missing
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
        return await connection.post(path, body, self._read)

    def _read(self, content: bytes) -> list[Response]:
        """The responses of an answer. Raises Unusable where there are none, or one broke off."""
        from curriculum.generators.parts.connection import Unusable

        try:
            responses = _responses(content, self.model)
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
            responses = []
        if not responses:
            raise Unusable("no choices")
        for each in responses:
            if each.finish_reason in BROKEN_OFF and each.error is None:
                raise Unusable(f"a response broke off (finish_reason={each.finish_reason})")
        return responses


def _responses(content: bytes, model: str) -> list[Response]:
    """Of an answer, which may be of any form: an error of Python's says that it is no answer."""
    answer = json.loads(content)
    choices = sorted(answer["choices"], key=lambda each: each.get("index", 0))
    tokens = int((answer.get("usage") or {}).get("completion_tokens") or 0)
    other = _other_model(answer.get("model"), model)
    return [
        _failed(other) if other else _response(choice, tokens // len(choices)) for choice in choices
    ]


def _response(choice: dict[str, Any], tokens: int) -> Response:
    message = choice.get("message")
    text: str = choice["text"] if message is None else message.get("content") or ""
    reason = choice.get("finish_reason") or "stop"
    if reason == FILTERED:
        return _failed("the server's content filter has ended it")
    if not text and reason not in (CUT_OFF, *BROKEN_OFF):
        calls = (message or {}).get("tool_calls") or (message or {}).get("function_call")
        return _failed(f"{'tool calls and no' if calls else 'no'} text (finish_reason={reason})")
    try:
        text.encode()
    except UnicodeEncodeError:
        return _failed("half a character in the text, which can't be written")
    return Response(text, reason, tokens)


def _failed(cause: str) -> Response:
    return Response("", "error", 0, cause)


def _other_model(answered: Any, asked: str) -> str | None:
    """Where a model of another name has answered: which, as a cause.

    A name stands for its dated versions too: gpt-4o for gpt-4o-2024-08-06.
    """
    name = re.escape(asked.removesuffix("-latest"))
    if not answered or re.fullmatch(name + DATED, str(answered)):
        return None
    return f"the answer is of the model {str(answered)[:100]}, not of {asked} (model.path)"
