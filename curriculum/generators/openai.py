"""`generator=openai`: any server that speaks OpenAI's protocol, `vllm serve` first of all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import AsyncGeneratorType
from typing import Annotated, Any, ClassVar, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import Field

from curriculum.core.errors import UserError, require_extra
from curriculum.generators.base import (
    Batch,
    Count,
    Generator,
    Response,
    Seconds,
    Share,
    Temperature,
)
from curriculum.generators.parts.client import Client
from curriculum.generators.parts.vllm_server import VllmServer
from curriculum.integrations.models import digest_of_model, has_chat_template


@dataclass(frozen=True)
class OpenAI(Generator):
    """Many requests at once; a server that is busy, fails or falls silent is asked again."""

    model: str | None = None
    url: str | None = None
    key_env: str = "OPENAI_API_KEY"
    server: Literal["vllm"] | None = None
    server_python: str | None = None
    server_args: list[str] = field(default_factory=list)
    server_timeout: Seconds = 900
    api: Literal["auto", "chat", "completions"] = "auto"
    batch_size: Count = 64
    concurrency: Count = 64
    samples_per_request: Count | None = None
    max_new_tokens: Count = 512
    temperature: Temperature = 1.0
    top_p: Share = 1.0
    extra_body: dict[str, Any] | None = None
    timeout: Seconds = 600
    patience: Annotated[float, Field(ge=0)] = 10
    # Where and how fast; `made_of` has the model.
    incidental: ClassVar = frozenset(
        {"model", "url", "key_env", "server", "server_python", "server_timeout"}
        | {"concurrency", "timeout", "patience"}
    )

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("generator=openai needs model.path=NAME, as the server calls it")
        require_extra("generator=openai", "openai", "aiohttp", "tenacity")
        if (self.url is None) == (self.server is None):
            raise UserError(
                "generator=openai needs one server: generator.url=http://HOST:8000/v1, "
                "or generator.server=vllm to start one here"
            )
        if self.url is not None:
            _require_url(self.url, self.key_env)

    @property
    def served_elsewhere(self) -> bool:
        """Whether the model is that of a server which runs anyway, and only its name counts."""
        return self.url is not None

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Generator`."""
        return self if self.served_elsewhere else replace(self, model=find(str(self.model)))

    @property
    def responses_differ(self) -> bool:
        """See `Generator`."""
        return self.temperature > 0

    def made_of(self) -> list[str]:
        """The model's files where a server is started for them, else the name it is served by."""
        return [str(self.model) if self.served_elsewhere else digest_of_model(str(self.model))]

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """See `Generator`. Raises UserError where the server refuses, or keeps failing."""
        answers = cast("AsyncGeneratorType[Any, None]", self._client.answers(batches))

        async def following() -> tuple[Batch, Sequence[Response]] | None:
            return await anext(answers, None)

        with asyncio.Runner() as runner:
            try:
                while (answer := runner.run(following())) is not None:
                    yield answer
            finally:
                if not answers.ag_running:  # a second Ctrl-C meets it closing
                    runner.run(answers.aclose())

    def close(self) -> None:
        """See `Generator`."""
        server = self.__dict__.pop("_server", None)
        if server is not None:
            server.stop()

    @cached_property
    def _server(self) -> VllmServer:
        return VllmServer.start(
            str(self.model), self.server_python, self.server_args, self.server_timeout
        )

    @property
    def _key(self) -> str:
        key = os.environ.get(self.key_env, "").strip()
        if not key.isascii() or not key.isprintable():  # what refuses to send it would show it
            raise UserError(
                f"the environment variable {self.key_env} (generator.key_env) holds characters "
                "that no key has"
            )
        return key

    @property
    def _client(self) -> Client:
        if self.url is None:
            url, key = self._server.url, self._server.key
        else:
            url, key = self.url, self._key
        sampling = {
            "max_tokens": self.max_new_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            **(self.extra_body or {}),
        }
        return Client(
            url=url,
            key=key,
            model=str(self.model),
            sampling=sampling,
            chat=has_chat_template(str(self.model)) if self.api == "auto" else self.api == "chat",
            samples_per_request=self.samples_per_request,
            concurrency=self.concurrency,
            timeout=self.timeout,
            patience=self.patience,
        )


def _require_url(url: str, key_env: str) -> None:
    """Raise UserError where it can't be asked, or holds what a log must not show."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"generator.url is no URL: {error}") from None
    if parts.username is not None:
        raise UserError(
            "generator.url holds a user or a key, and the configuration is logged: put it into "
            f"the environment variable that generator.key_env={key_env} names"
        )
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UserError(f"generator.url={url}: like http://HOST:8000/v1, or https://")
