"""What a reward is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from curriculum.core.records import Sample


class Reward(Protocol):
    """Turns responses into numbers: a dataclass whose fields are its knobs.

    It runs in worker processes, so it must pickle. Time limits, crashes and retries are the
    pipeline's: a batch that raises, hangs or dies is scored again one sample at a time, and what
    still fails is recorded with its cause. Each process begins with `score([])`, outside the time
    limit: a UserError there ends the run.
    """

    def score(self, samples: Sequence[Sample]) -> Sequence[float]:
        """One finite number a sample, in their order; raise where there is none to give."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields of `Sample` without which there is no score: a rollout that lacks one fails.

        A class says it as `needs: ClassVar = ("response", "ground_truth")`, or inherits this one.
        """
        return ("response",)

    # A reward may have `made_of() -> list[str]`: whatever, beside its knobs and the code in its
    # folder, its scores depend on. Stored scores are used again only while all of it is the same.
    # `processes: ClassVar[int]` is how many score it where reward.workers is null, else one a core;
    # `loading: ClassVar[float]` the seconds that `score([])` may take, else `workers.LOADING`.
