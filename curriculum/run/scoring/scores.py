"""What came of rollouts as they are scored: rewards, failures, and when there are too many."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.records import REWARD_SCHEMA, Floats
from curriculum.core.secrets import redacted


class ScoringError(UserError):
    """Rollouts without a reward end the run; `failures` are {row: cause}."""

    def __init__(self, message: str, failures: dict[int, str]) -> None:
        super().__init__(message)
        self.failures = failures


class TooManyFailures(ScoringError):
    """More rollouts failed than `reward.max_failures`, or all did.

    `earlier` ones, of other rounds, count too.
    """

    def __init__(self, failures: dict[int, str], limit: int, earlier: int = 0) -> None:
        excess = len(failures) + earlier > limit
        super().__init__(
            f"{len(failures) + earlier} rollouts could not be scored, "
            + (f"more than reward.max_failures={limit}" if excess else "and not one could")
            + f". The first:{_first(failures)}\nMend the reward"
            + (", or allow more with reward.max_failures=N." if excess else "."),
            failures,
        )


class UnscoredSources(ScoringError):
    """Of some data sources, {name: rollouts}, not one rollout has a reward, while others' have."""

    def __init__(self, sources: dict[str, int], first: dict[int, str], failures: dict[int, str]):
        named = ", ".join(f"{source} ({count} rollouts)" for source, count in sources.items())
        super().__init__(
            f"not one rollout of these data sources could be scored: {named}. The first:"
            f"{_first(first)}\nMend the cause, choose a reward that can score them, or leave them "
            "out of the data: else they would be in no file of this run.",
            failures,
        )


def _first(failures: dict[int, str]) -> str:
    return "".join(f"\n  rollout {row}: {cause}" for row, cause in list(failures.items())[:3])


@dataclass
class Scores:
    """Rewards and failures as they come in; stops when too many failed."""

    rewards: Floats  # NaN: not scored
    limit: int
    earlier: int = 0  # failures of other rounds
    failures: dict[int, str] = field(default_factory=dict)

    def fail(self, row: int, cause: str) -> None:
        self.failures[row] = redacted(cause)  # a stranger's code has raised it
        if len(self.failures) + self.earlier > self.limit:
            raise TooManyFailures(self.failures, self.limit, self.earlier)

    def table(self) -> pa.Table:
        """As in `REWARD_SCHEMA`; rollouts kept aside before have neither reward nor failure."""
        failure = pa.nulls(len(self.rewards), pa.string())
        if self.failures:
            rows = sorted(self.failures)
            failed = np.zeros(len(self.rewards), np.bool_)
            failed[rows] = True
            causes = pa.array([self.failures[row] for row in rows], pa.string())
            failure = pc.replace_with_mask(failure, pa.array(failed), causes)
        reward = pa.array(self.rewards, from_pandas=True)
        return pa.table([reward, failure], schema=REWARD_SCHEMA)
