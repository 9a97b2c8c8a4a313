"""Scoring in worker processes: whatever a reward does, every rollout gets a number or a cause."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pebble import ProcessExpired, ProcessFuture, ProcessPool

from curriculum.errors import UserError
from curriculum.records import REWARD_SCHEMA, Floats, Problems, Rollouts, Sample
from curriculum.rewards.base import Reward
from curriculum.terminal import progress_bar

CHUNK = 64  # samples handed to a worker at once
AHEAD = 64  # chunks waiting or at work


@dataclass(frozen=True)
class Scoring:
    """How rewards are computed (`reward` in conf/config.yaml)."""

    workers: int | None  # processes; None: one a core
    time_limit: float  # seconds a rollout may take
    max_failures: int


class ScorerError(Exception):
    """What a scorer raised, as text."""


class TooManyFailures(UserError):
    """More rollouts failed than `reward.max_failures`; `failures` are (rollout, cause)."""

    def __init__(self, failures: dict[int, str], limit: int) -> None:
        shown = "".join(f"\n  rollout {row}: {cause}" for row, cause in list(failures.items())[:3])
        super().__init__(
            f"{len(failures)} rollouts could not be scored, more than reward.max_failures={limit}. "
            f"The first:{shown}\nMend the reward, or allow more with reward.max_failures=N."
        )
        self.failures = failures


@dataclass
class Ledger:
    """Rewards and failures as they come in; stops when too many failed."""

    rewards: Floats  # NaN: not scored
    limit: int
    failures: dict[int, str] = field(default_factory=dict)

    def fail(self, row: int, cause: str) -> None:
        self.failures[row] = cause
        if len(self.failures) > self.limit:
            raise TooManyFailures(self.failures, self.limit)

    def table(self) -> pa.Table:
        """As in `REWARD_SCHEMA`; rollouts kept aside before have neither reward nor failure."""
        failure = np.full(len(self.rewards), None, object)
        failure[list(self.failures)] = list(self.failures.values())
        reward = pa.array(self.rewards, from_pandas=True)
        return pa.table([reward, pa.array(failure, pa.string())], schema=REWARD_SCHEMA)


def read_recorded(rollouts: Rollouts, max_failures: int) -> pa.Table:
    """Recorded rewards as in `REWARD_SCHEMA`. Raises TooManyFailures."""
    recorded = rollouts.index["reward"].to_numpy()
    usable, belongs = np.isfinite(recorded), rollouts.problem >= 0
    ledger = Ledger(np.where(usable & belongs, recorded, np.nan), max_failures)
    for row in np.flatnonzero(~usable & belongs):
        ledger.fail(int(row), "no recorded reward (null, NaN or infinite)")
    return ledger.table()


def score(reward: Reward, problems: Problems, rollouts: Rollouts, scoring: Scoring) -> pa.Table:
    """Score every rollout: (len(rollouts),) rows of `REWARD_SCHEMA`.

    A chunk that raises, hangs or kills its process is scored again sample by sample, so that one
    bad rollout costs its neighbours nothing.

    Raises:
        TooManyFailures: as soon as more than `scoring.max_failures` rollouts failed.
    """
    ledger = Ledger(np.full(len(rollouts), np.nan), scoring.max_failures)
    workers = scoring.workers or len(os.sched_getaffinity(0))
    # Forking a process that has threads (arrow's, say) can deadlock the child.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPool(workers, context=context, initializer=_take_reward, initargs=(reward,))
    with pool, progress_bar() as progress:
        task = progress.add_task("scoring", total=len(rollouts))
        try:
            for chunk in _schedule(pool, _chunks(problems, rollouts, ledger), scoring.time_limit):
                _settle(pool, *chunk, scoring.time_limit, ledger)
                progress.update(task, completed=chunk[0][-1][0] + 1)
        except BrokenProcessPool as error:
            raise UserError("the reward ends every process that loads it") from error
        except BaseException:
            pool.stop()  # type: ignore[no-untyped-call]  # else leaving the pool waits for a scorer that hangs
            raise
    return ledger.table()


def failures_in(rewards: pa.Table) -> dict[int, str]:
    """{row: cause} of the rollouts that could not be scored."""
    causes = rewards["failure"].to_pylist()
    return {row: cause for row, cause in enumerate(causes) if cause is not None}


Chunk = list[tuple[int, Sample]]  # (row of the rollout, sample)
Scored = ProcessFuture[list[float]]


def _chunks(problems: Problems, rollouts: Rollouts, ledger: Ledger) -> Iterator[Chunk]:
    chunk: Chunk = []
    row = -1
    for batch in rollouts.responses():
        for response in batch.to_pylist():
            row += 1
            problem = int(rollouts.problem[row])
            if problem < 0:
                continue
            if response is None:
                ledger.fail(row, "no response")
                continue
            chunk.append((row, problems.sample(problem, response)))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _schedule(
    pool: ProcessPool, chunks: Iterator[Chunk], time_limit: float
) -> Iterator[tuple[Chunk, Scored]]:
    """Keep the workers fed, a bounded number of chunks ahead; yield in order."""
    waiting: deque[tuple[Chunk, Scored]] = deque()
    for chunk in chunks:
        waiting.append((chunk, _submit(pool, chunk, time_limit)))
        if len(waiting) == AHEAD:
            yield waiting.popleft()
    yield from waiting


def _submit(pool: ProcessPool, chunk: Chunk, time_limit: float) -> Scored:
    return pool.schedule(_score, args=[[sample for _, sample in chunk]], timeout=time_limit)


def _settle(
    pool: ProcessPool, chunk: Chunk, future: Scored, time_limit: float, ledger: Ledger
) -> None:
    try:
        ledger.rewards[[row for row, _ in chunk]] = future.result()
    except (ScorerError, ProcessExpired, TimeoutError) as error:
        if len(chunk) == 1:
            ledger.fail(chunk[0][0], _cause(error, time_limit))
            return
        singles = [[one] for one in chunk]
        for single, redone in _schedule(pool, iter(singles), time_limit):
            _settle(pool, single, redone, time_limit, ledger)


def _cause(error: Exception, time_limit: float) -> str:
    if isinstance(error, ProcessExpired):
        return f"the scorer's process died (exit code {error.exitcode})"
    if isinstance(error, TimeoutError):
        return f"no reward within {time_limit:g} s (reward.time_limit)"
    return str(error)


# In a worker process: its reward, unpickled once.
_reward: Reward


def _take_reward(reward: Reward) -> None:
    global _reward
    _reward = reward
    # Load what the reward needs outside of any rollout's time limit. What goes wrong here goes
    # wrong again, and is recorded, at the first sample.
    with suppress(Exception, SystemExit):
        reward.score([])


def _score(samples: Sequence[Sample]) -> list[float]:
    try:
        rewards = [float(reward) for reward in _reward.score(samples)]
        if len(rewards) != len(samples):
            raise ValueError(f"{len(rewards)} rewards for {len(samples)} samples")
        if not all(map(math.isfinite, rewards)):
            raise ValueError("the reward is not a finite number")
    # Whatever a scorer raises belongs to its rollout; the scorer's own classes don't travel.
    except (Exception, SystemExit) as error:
        raise ScorerError(f"{type(error).__name__}: {error}") from None
    return rewards
