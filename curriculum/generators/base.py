"""What a generator is: batches of requests in, their responses out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol, Self

from pydantic import Field

from curriculum.core.errors import require_shard

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Temperature = Annotated[float, Field(ge=0)]

CUT_OFF = "length"  # the finish reason of a response that the limit of new tokens ended


class Request(NamedTuple):
    """Some samples of one problem."""

    problem: int  # row of the problems
    prompt: Any  # a chat or a text
    first: int  # sample_idx of the first one
    samples: int
    seed: int


class Batch(NamedTuple):
    """What is generated, written and, after a kill, made again together.

    Its seed and its requests' follow from what is asked for, so a batch made again has the same
    responses, whatever came before it.
    """

    number: int
    requests: Sequence[Request]
    seed: int

    def __len__(self) -> int:
        return sum(request.samples for request in self.requests)


class Response(NamedTuple):
    """A generated text and why it ended: "stop", "length", or a word of the server's."""

    text: str
    finish_reason: str
    tokens: int  # of a server that counts a request's samples together, their mean
    error: str | None = None  # why there is none; then the text is empty, and "error" the reason


@dataclass(frozen=True)
class Generation:
    """What every generator has (`generator` in conf/config.yaml)."""

    seed: Annotated[int, Field(ge=0)] = 0
    shards: Count = 1  # how many runs share the work
    shard: Annotated[int, Field(ge=0)] = 0  # which of them this is
    max_failures: Annotated[int, Field(ge=0)] = 100

    def __post_init__(self) -> None:
        require_shard("generator", self.shard, self.shards)


class Generator(Protocol):
    """Makes rollouts: a dataclass whose fields are its settings.

    Resume, shards, progress and files are the pipeline's. What is loaded for one `generate` serves
    the next one, until `close`.
    """

    incidental: ClassVar[frozenset[str]] = frozenset()  # settings that no response depends on
    replays: ClassVar[bool] = False  # whether its rollouts are there already, and none is made

    @property
    def responses_differ(self) -> bool:
        """Whether those of one problem do: not where nothing is sampled."""
        return True

    @property
    def batch_size(self) -> int:
        """Rollouts of a batch."""
        ...

    def made_of(self) -> list[str]:
        """Whatever its responses depend on beside its settings and its source: files, versions."""
        return []

    def recorded(self) -> Mapping[str, Any] | None:
        """Of one that replays, where its rollouts are, as keys of `data=rollouts`.

        None: they stand with the problems.
        """
        return None

    def with_model(self, find: Callable[[str], str]) -> Self:
        """The same, where it loads a model: the one that `find` gives for its name."""
        return self

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """Each batch with its responses, request after request, as they are done.

        Several batches may be under way at once.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds: an engine, a server."""
        return
