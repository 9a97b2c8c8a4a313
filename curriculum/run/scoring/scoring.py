"""Scoring in worker processes: whatever a reward does, every rollout gets a number or a cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curriculum.core.cores import count_cores
from curriculum.core.errors import require_shard
from curriculum.core.progress import progress
from curriculum.core.records import Booleans, Problems, Rollouts, Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.scores import Scores, TooManyFailures, UnscoredSources
from curriculum.run.scoring.workers import CHUNK, score_chunks, workers_for

BEGIN, THOUGHT = "<think>", "</think>"


@dataclass(frozen=True)
class Scoring:
    """How rewards are computed (`reward` in conf/config.yaml)."""

    workers: Annotated[int, Field(ge=1)] | None = None  # None: one a core, or what the reward says
    time_limit: Annotated[float, Field(gt=0)] = 10  # seconds a rollout may take
    max_failures: Annotated[int, Field(ge=0)] = 100
    memory_gb: Annotated[float, Field(gt=0)] | None = None  # of a process; None: see workers.py
    strip_thinking: bool | None = None  # None: what the reward says
    shards: Annotated[int, Field(ge=1)] = 1  # how many runs share the work
    shard: Annotated[int, Field(ge=0)] = 0  # which of them this is

    def __post_init__(self) -> None:
        require_shard("reward", self.shard, self.shards)

    def mine(self, rollouts: int) -> Booleans:
        """(rollouts,) which of them this shard scores: every so many chunks of one of them."""
        return np.asarray(np.arange(rollouts) // CHUNK % self.shards == self.shard)

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
        kept: what runs that were stopped, and shards, have scored; it is not computed again.
        earlier: failures of the rounds before; None: there were none.

    Raises:
        TooManyFailures: as soon as more than `scoring.max_failures` rollouts failed, or where in
            the end of the first round none has a reward.
        UnscoredSources: where in the end of the first round none of a data source has.
        UserError: where the reward can't be loaded.
    """
    scores = Scores(np.full(len(rollouts), np.nan), scoring.max_failures, earlier or 0)
    kept.into(scores.rewards)
    wanted = np.ones(len(rollouts), np.bool_)
    _score(reward, problems, rollouts, scoring, kept, scores, wanted)
    if earlier is None and not np.isfinite(scores.rewards).any() and scores.failures:
        raise TooManyFailures(scores.failures, scoring.max_failures)
    table = scores.table()
    if earlier is None:
        require_every_source(problems, rollouts, table)
    return table


def score_shard(
    reward: Reward, problems: Problems, rollouts: Rollouts, scoring: Scoring, kept: Kept
) -> int:
    """Score this shard's part of the rollouts; how many of all were scored or tried by now.

    Raises:
        TooManyFailures: as soon as more than `scoring.max_failures` of its own failed.
        UserError: where the reward can't be loaded.
    """
    scores = Scores(np.full(len(rollouts), np.nan), scoring.max_failures)
    kept.into(scores.rewards)
    mine = scoring.mine(len(rollouts))
    mine[kept.failed()] = False
    _score(reward, problems, rollouts, scoring, kept, scores, mine)
    kept.fail(list(scores.failures))
    kept.into(scores.rewards)
    done = np.isfinite(scores.rewards)
    done[kept.failed()] = True
    return int(done.sum())


def _score(
    reward: Reward,
    problems: Problems,
    rollouts: Rollouts,
    scoring: Scoring,
    kept: Kept,
    scores: Scores,
    wanted: Booleans,
) -> None:
    """Fill in the scores of the wanted rollouts that have none yet."""
    left = wanted & ~np.isfinite(scores.rewards) & (rollouts.problem >= 0)
    count = scoring.workers or reward.processes or count_cores()
    samples = (
        (row, scoring.answer(reward, sample))
        for row, sample in _samples(reward, problems, rollouts, scores, left)
    )
    total, to_do = int(wanted.sum()), int(left.sum())
    count = min(count, -(-to_do // CHUNK))
    with (
        progress("scoring", "rollouts", total, total - to_do) as advance,
        kept,
        workers_for(reward, count, scoring.time_limit, scoring.memory_gb) as processes,
    ):
        for chunk, answer in score_chunks(processes, samples):
            rows = [row for row, _ in chunk]
            if answer.rewards is None:
                scores.fail(rows[0], answer.cause)
            else:
                scores.rewards[rows] = answer.rewards
                kept.add(rows, answer.rewards)
            advance(len(rows))


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
    reward: Reward, problems: Problems, rollouts: Rollouts, scores: Scores, left: Booleans
) -> Iterator[tuple[int, Sample]]:
    """(row, sample) of every rollout that is left and has all that the reward needs."""
    start = 0
    for batch in rollouts.responses():
        rows = np.flatnonzero(left[start : start + len(batch)])
        owners = rollouts.problem[start + rows]
        asked = problems.samples(np.unique(owners))
        responses = batch.take(pa.array(rows)).to_pylist()
        for row, owner, response in zip(
            (start + rows).tolist(), owners.tolist(), responses, strict=True
        ):
            sample = asked[owner]._replace(response=response)
            if lack := lacking(reward, sample):
                scores.fail(row, lack)
            else:
                yield row, sample
        start += len(batch)
