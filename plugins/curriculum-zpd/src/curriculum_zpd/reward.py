"""Right, and not a word more than needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Sample
from curriculum.rewards import Reward


@dataclass(frozen=True)
class Concise(Reward):
    """1.0 for the ground truth in at most `max_characters`, 0.5 for it in more, else 0.0."""

    max_characters: int = 20
    needs: ClassVar = ("response", "ground_truth")

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        return [self._score_one(sample) for sample in samples]

    def _score_one(self, sample: Sample) -> float:
        if str(sample.ground_truth) not in sample.response.split():
            return 0.0
        return 1.0 if len(sample.response) <= self.max_characters else 0.5
