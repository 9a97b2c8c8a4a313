"""What a reward is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

from curriculum.core.records import Sample


class Reward(Protocol):
    """Turns responses into numbers: a dataclass whose fields are its settings.

    It runs in worker processes, so it must pickle. Time limits, crashes and retries are the
    pipeline's: a batch that raises, hangs or dies is scored again one sample at a time, and what
    still fails is recorded with its cause. Each process begins with `score([])`, outside the time
    limit: a UserError there ends the run.
    """

    processes: ClassVar[int | None] = None  # where reward.workers is null; None: one a core
    loading: ClassVar[float] = 120.0  # seconds that `score([])` may take
    in_rollouts: ClassVar[bool] = False  # whether its rewards are read, not computed
    strips_thinking: ClassVar[bool] = False  # whether it is about the answer behind </think> alone

    def score(self, samples: Sequence[Sample]) -> Sequence[float]:
        """One finite number a sample, in their order; raise where there is none to give.

        Samples of a problem share its prompt, ground truth and extra_info: leave them as they are.
        """
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields of `Sample` without which there is no score: a rollout that lacks one fails.

        A class says it as `needs: ClassVar = ("response", "ground_truth")`, or inherits this one.
        """
        return ("response",)

    @property
    def own_code(self) -> bool:
        """Whether it runs code of the user's, which is loaded once before rollouts are paid for."""
        return False

    @property
    def recorded_key(self) -> str | None:
        """Of the number that counts, where recorded rewards have several; None: not chosen."""
        return None

    def made_of(self) -> list[str]:
        """Whatever its scores depend on beside its settings and its source: versions, files.

        Stored scores are used again only while all of it is the same.
        """
        return []

    def choose(self, recorded: bool, data_sources: Iterable[str]) -> Reward:
        """The reward that scores, where this one stands for several.

        Args:
            recorded: whether the rollouts carry rewards.
            data_sources: of the problems.

        Raises:
            UserError: where there is none for them.
        """
        return self
