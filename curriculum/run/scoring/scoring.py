"""Scoring in worker processes: whatever a reward does, every rollout gets a number or a cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curriculum.core.cores import count_cores
from curriculum.core.errors import UserError
from curriculum.core.progress import progress
from curriculum.core.records import REWARD_SCHEMA, Floats, Problems, Rollouts, Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.workers import CHUNK, score_chunks, workers_for

BEGIN, THOUGHT = "<think>", "</think>"


@dataclass(frozen=True)
class Scoring:
    """How rewards are computed (`reward` in conf/config.yaml)."""

    workers: Annotated[int, Field(ge=1)] | None = None  # None: one a core, or what the reward says
    time_limit: Annotated[float, Field(gt=0)] = 10  # seconds a rollout may take
    max_failures: Annotated[int, Field(ge=0)] = 100
    strip_thinking: bool | None = None  # None: what the reward says

    def answer(self, reward: Reward, sample: Sample) -> Sample:
        """The sample as the reward sees it."""
        strip = reward.strips_thinking if self.strip_thinking is None else self.strip_thinking
        return sample._replace(response=answer_of(sample.response)) if strip else sample


def answer_of(response: str) -> str:
    """What follows the thoughts; nothing where they never end."""
    thoughts, end, answer = response.rpartition(THOUGHT)
    if end:
        return answer
    return "" if BEGIN in thoughts or BEGIN in answer else response


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
        self.failures[row] = cause
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


def read_recorded(rollouts: Rollouts, max_failures: int) -> pa.Table:
    """Recorded rewards as in `REWARD_SCHEMA`.

    Raises:
        TooManyFailures: where more than that are not there or no number, or all of them.
    """
    recorded = rollouts.index["reward"].to_numpy()
    usable, belongs = np.isfinite(recorded), rollouts.problem >= 0
    scores = Scores(np.where(usable & belongs, recorded, np.nan), max_failures)
    there = rollouts.index["reward"].is_valid().to_numpy()
    for row in np.flatnonzero(~usable & belongs):
        cause = f"the recorded reward is {recorded[row]}" if there[row] else "no recorded reward"
        scores.fail(int(row), cause)
    if scores.failures and not np.isfinite(scores.rewards).any():
        raise TooManyFailures(scores.failures, max_failures)
    return scores.table()


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
        UnscoredSources: where in the end of the first round none of a data source has.
        UserError: where the reward can't be loaded.
    """
    scores = Scores(np.full(len(rollouts), np.nan), scoring.max_failures, earlier or 0)
    wanted = scoring.workers or reward.processes or count_cores()
    workers = min(wanted, -(-len(rollouts) // CHUNK))
    kept.into(scores.rewards)
    before = int(np.isfinite(scores.rewards).sum())
    samples = (
        (row, scoring.answer(reward, sample))
        for row, sample in _samples(reward, problems, rollouts, scores)
    )
    with (
        progress("scoring", "rollouts", len(rollouts), before) as advance,
        kept,
        workers_for(reward, workers) as processes,
    ):
        for chunk, outcome in score_chunks(processes, samples, scoring.time_limit):
            rows = [row for row, _ in chunk]
            if isinstance(outcome, str):
                scores.fail(rows[0], outcome)
            else:
                scores.rewards[rows] = outcome
                kept.add(rows, outcome)
            advance(len(rows))
    if earlier is None and not np.isfinite(scores.rewards).any() and scores.failures:
        raise TooManyFailures(scores.failures, scoring.max_failures)
    table = scores.table()
    if earlier is None:
        require_every_source(problems, rollouts, table)
    return table


def require_every_source(problems: Problems, rollouts: Rollouts, rewards: pa.Table) -> None:
    """Raise UnscoredSources where there are some, unless no rollout at all has a reward."""
    belong = rollouts.problem >= 0
    scored = belong & rewards["reward"].is_valid().to_numpy()
    source = problems.table["data_source"]
    of_problems = {
        name: np.bincount(rollouts.problem[rows], minlength=len(problems))
        for name, rows in (("rollouts", belong), ("scored", scored))
    }
    counted = pa.table({"source": source, **of_problems}).group_by("source")
    counted = counted.aggregate([("rollouts", "sum"), ("scored", "sum")])
    counted = counted.filter(pc.greater(counted["rollouts_sum"], 0))
    lost = counted.filter(pc.equal(counted["scored_sum"], 0))
    if 0 < len(lost) < len(counted):
        counts = zip(lost["source"].to_pylist(), lost["rollouts_sum"].to_pylist(), strict=True)
        failures = failures_in(rewards)
        is_lost = pc.is_in(source, lost["source"].combine_chunks()).to_numpy()
        of_lost = np.flatnonzero(belong)[is_lost[rollouts.problem[belong]]]
        first = {row: failures[row] for row in of_lost[:3].tolist()}
        raise UnscoredSources(dict(counts), first, failures)


def failures_in(rewards: pa.Table) -> dict[int, str]:
    """{row: cause} of the rollouts that could not be scored."""
    rows = np.flatnonzero(rewards["failure"].is_valid())
    return dict(
        zip(rows.tolist(), rewards["failure"].take(pa.array(rows)).to_pylist(), strict=True)
    )


def lacking(reward: Reward, sample: Sample) -> str | None:
    """What the reward needs and the sample does not have, as a cause."""
    needed = [name for name in Sample._fields if name in {"response", *reward.needs}]
    missing = [name for name in needed if getattr(sample, name) is None]
    return f"no {' and no '.join(missing).replace('_', ' ')}" if missing else None


def _samples(
    reward: Reward, problems: Problems, rollouts: Rollouts, scores: Scores
) -> Iterator[tuple[int, Sample]]:
    """(row, sample) of every rollout that has all that the reward needs, but no reward yet."""
    scored = np.isfinite(scores.rewards)
    row = -1
    for batch in rollouts.responses():
        for response in batch.to_pylist():
            row += 1
            problem = int(rollouts.problem[row])
            if scored[row] or problem < 0:
                continue
            sample = problems.sample(problem, response)
            if lack := lacking(reward, sample):
                scores.fail(row, lack)
            else:
                yield row, sample
