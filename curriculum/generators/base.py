"""What a generator is: batches of requests in, their responses out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from curriculum.errors import UserError

FinishReason = Literal["stop", "length"]


class Request(NamedTuple):
    """Some samples of one problem."""

    problem: int  # row of the problems
    prompt: Any  # a chat or a text
    first: int  # sample_idx of the first one
    samples: int


class Batch(NamedTuple):
    """What is generated, written and, after a kill, made again together.

    Its seed follows from what is asked for, so a batch made again has the same responses, whatever
    came before it.
    """

    number: int
    requests: Sequence[Request]
    seed: int

    def __len__(self) -> int:
        return sum(request.samples for request in self.requests)


class Response(NamedTuple):
    """A generated text, and whether the model ended it or the limit of new tokens did."""

    text: str
    finish_reason: FinishReason
    tokens: int


@dataclass(frozen=True)
class Generation:
    """How much is generated (`num_samples`, and `generator` in conf/config.yaml)."""

    num_samples: int  # rollouts of each problem
    seed: int

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise UserError(f"num_samples={self.num_samples}: 1 or more")


class Generator(Protocol):
    """Makes rollouts: a dataclass whose fields are its knobs.

    Resume, shards, progress and files are the pipeline's.
    """

    @property
    def batch_size(self) -> int:
        """Rollouts of a batch."""
        ...

    def made_of(self) -> list[str]:
        """Whatever, beside its knobs, its responses depend on: the model's files, versions."""
        ...

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """Each batch with its responses, request after request, as they are done.

        Several batches may be under way at once.
        """
        ...
