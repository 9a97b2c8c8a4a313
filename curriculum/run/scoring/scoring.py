"""Scoring in worker processes: whatever a reward does, every rollout gets a number or a cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.progress import progress
from curriculum.core.records import REWARD_SCHEMA, Floats, Problems, Rollouts, Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.workers import CHUNK, score_chunks


@dataclass(frozen=True)
class Scoring:
    """How rewards are computed (`reward` in conf/config.yaml)."""

    workers: int | None  # processes; None: one a core, or as many as the reward wants
    time_limit: float  # seconds a rollout may take
    max_failures: int

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UserError(f"reward.workers={self.workers}: 1 or more, or null for one a core")
        if self.time_limit <= 0 or self.max_failures < 0:
            raise UserError("reward.time_limit must be above 0, reward.max_failures 0 or more")


class TooManyFailures(UserError):
    """More rollouts failed than `reward.max_failures`, or all did; `failures` are {row: cause}.

    `earlier` ones, of other rounds, count too.
    """

    def __init__(self, failures: dict[int, str], limit: int, earlier: int = 0) -> None:
        shown = "".join(f"\n  rollout {row}: {cause}" for row, cause in list(failures.items())[:3])
        excess = len(failures) + earlier > limit
        super().__init__(
            f"{len(failures) + earlier} rollouts could not be scored, "
            + (f"more than reward.max_failures={limit}" if excess else "and not one could")
            + f". The first:{shown}\nMend the reward"
            + (", or allow more with reward.max_failures=N." if excess else ".")
        )
        self.failures = failures


@dataclass
class Ledger:
    """Rewards and failures as they come in; stops when too many failed."""

    rewards: Floats  # NaN: not scored
    limit: int
    earlier: int = 0  # failures of other rounds
    failures: dict[int, str] = field(default_factory=dict)

    def fail(self, row: int, cause: str) -> None:
        self.failures[row] = cause
        if len(self.failures) + self.earlier > self.limit:
            raise TooManyFailures(self.failures, self.limit, self.earlier)

    def table(self) -> pa.Table:
        """As in `REWARD_SCHEMA`; rollouts kept aside before have neither reward nor failure."""
        failure = np.full(len(self.rewards), None, object)
        failure[list(self.failures)] = list(self.failures.values())
        reward = pa.array(self.rewards, from_pandas=True)
        return pa.table([reward, pa.array(failure, pa.string())], schema=REWARD_SCHEMA)


def read_recorded(rollouts: Rollouts, max_failures: int) -> pa.Table:
    """Recorded rewards as in `REWARD_SCHEMA`.

    Raises:
        TooManyFailures: where more than that are not there or no number, or all of them.
    """
    recorded = rollouts.index["reward"].to_numpy()
    usable, belongs = np.isfinite(recorded), rollouts.problem >= 0
    ledger = Ledger(np.where(usable & belongs, recorded, np.nan), max_failures)
    there = rollouts.index["reward"].is_valid().to_numpy()
    for row in np.flatnonzero(~usable & belongs):
        cause = f"the recorded reward is {recorded[row]}" if there[row] else "no recorded reward"
        ledger.fail(int(row), cause)
    if ledger.failures and not np.isfinite(ledger.rewards).any():
        raise TooManyFailures(ledger.failures, max_failures)
    return ledger.table()


def score(
    reward: Reward,
    problems: Problems,
    rollouts: Rollouts,
    scoring: Scoring,
    kept: Kept,
    earlier: int | None = None,
) -> pa.Table:
    """Score every rollout: (len(rollouts),) rows of `REWARD_SCHEMA`.

    Args:
        kept: rewards of a run that was stopped, not computed again; those of this one are added.
        earlier: failures of the rounds before; None: there were none.

    Raises:
        TooManyFailures: as soon as more than `scoring.max_failures` rollouts failed, or where in
            the end of the first round none has a reward.
        UserError: where the reward can't be loaded.
    """
    ledger = Ledger(np.full(len(rollouts), np.nan), scoring.max_failures, earlier or 0)
    from joblib import cpu_count

    wanted = scoring.workers or getattr(reward, "processes", None) or cpu_count()
    workers = min(wanted, -(-len(rollouts) // CHUNK))
    kept.into(ledger.rewards)
    before = int(np.isfinite(ledger.rewards).sum())
    samples = _samples(problems, rollouts, ledger)
    with (
        progress("scoring", "rollouts", len(rollouts), before) as advance,
        kept,
        closing(score_chunks(reward, samples, workers, scoring.time_limit)) as scored,
    ):
        for chunk, outcome in scored:
            rows = [row for row, _ in chunk]
            if isinstance(outcome, str):
                ledger.fail(rows[0], outcome)
            else:
                ledger.rewards[rows] = outcome
                kept.add(rows, outcome)
            advance(len(rows))
    if earlier is None and not np.isfinite(ledger.rewards).any() and ledger.failures:
        raise TooManyFailures(ledger.failures, scoring.max_failures)
    return ledger.table()


def failures_in(rewards: pa.Table) -> dict[int, str]:
    """{row: cause} of the rollouts that could not be scored."""
    causes = rewards["failure"].to_pylist()
    return {row: cause for row, cause in enumerate(causes) if cause is not None}


def _samples(
    problems: Problems, rollouts: Rollouts, ledger: Ledger
) -> Iterator[tuple[int, Sample]]:
    """(row, sample) of every rollout that has a problem and a response, but no reward yet."""
    scored = np.isfinite(ledger.rewards)
    row = -1
    for batch in rollouts.responses():
        for response in batch.to_pylist():
            row += 1
            problem = int(rollouts.problem[row])
            if scored[row]:
                continue
            if problem >= 0 and response is None:
                ledger.fail(row, "no response")
            elif problem >= 0:
                yield row, problems.sample(problem, response)
