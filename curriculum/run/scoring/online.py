"""Scores responses as a training makes them, in processes that stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from curriculum.core.cores import count_cores
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.scores import Scores
from curriculum.run.scoring.scoring import Scoring, lacking
from curriculum.run.scoring.workers import Worker, score_chunks, workers_for

log = logging.getLogger(__name__)


class Online:
    """Rewards of responses, NaN where there is none."""

    def __init__(self, reward: Reward, workers: Sequence[Worker], scoring: Scoring) -> None:
        self._reward, self._workers, self._scoring = reward, workers, scoring
        self._failed = 0

    def __call__(self, samples: Sequence[Sample]) -> list[float]:
        """One number a sample.

        Raises:
            TooManyFailures: where more than `reward.max_failures` in all have none.
            UserError: where the reward can't be loaded.
        """
        limit = self._scoring.max_failures
        scores = Scores(np.full(len(samples), np.nan), limit, self._failed)
        whole = self._whole(samples, scores)
        for chunk, answer in score_chunks(self._workers, whole):
            rows = [row for row, _ in chunk]
            if answer.rewards is None:
                self._fail(scores, rows[0], answer.cause)
            else:
                scores.rewards[rows] = answer.rewards
        self._failed += len(scores.failures)
        return [float(reward) for reward in scores.rewards]

    def _whole(self, samples: Sequence[Sample], scores: Scores) -> Iterator[tuple[int, Sample]]:
        """Those that have what the reward needs."""
        for row, sample in enumerate(samples):
            if lack := lacking(self._reward, sample):
                self._fail(scores, row, lack)
            else:
                yield row, self._scoring.answer(self._reward, sample)

    def _fail(self, scores: Scores, row: int, cause: str) -> None:
        log.warning("a response of the training has no reward: %s", cause)
        scores.fail(row, cause)


@contextmanager
def online(reward: Reward, scoring: Scoring) -> Iterator[Online]:
    """As many processes as a run scores with."""
    count = scoring.workers or reward.processes or count_cores()
    with workers_for(reward, count, scoring.time_limit, scoring.memory_gb) as workers:
        yield Online(reward, workers, scoring)
