"""Scores responses as a training makes them, in processes that stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from curriculum.core.cores import count_cores
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.scoring import Scores, Scoring
from curriculum.run.scoring.workers import Worker, score_chunks, workers_for

log = logging.getLogger(__name__)


class Online:
    """Rewards of responses, NaN where there is none."""

    def __init__(self, workers: Sequence[Worker], scoring: Scoring) -> None:
        self._workers, self._scoring = workers, scoring
        self._failed = 0

    def __call__(self, samples: Sequence[Sample]) -> list[float]:
        """One number a sample.

        Raises:
            TooManyFailures: where more than `reward.max_failures` in all have none.
            UserError: where the reward can't be loaded.
        """
        limit = self._scoring.max_failures
        scores = Scores(np.full(len(samples), np.nan), limit, self._failed)
        found = score_chunks(self._workers, iter(enumerate(samples)), self._scoring.time_limit)
        for chunk, outcome in found:
            rows = [row for row, _ in chunk]
            if isinstance(outcome, str):
                scores.fail(rows[0], outcome)
                log.warning("a response of the training has no reward: %s", outcome)
            else:
                scores.rewards[rows] = outcome
        self._failed += len(scores.failures)
        return [float(reward) for reward in scores.rewards]


@contextmanager
def online(reward: Reward, scoring: Scoring) -> Iterator[Online]:
    """As many processes as a run scores with."""
    with workers_for(reward, scoring.workers or reward.processes or count_cores()) as workers:
        yield Online(workers, scoring)
