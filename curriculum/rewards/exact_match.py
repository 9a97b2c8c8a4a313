"""`reward=exact_match`: right or wrong, to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Sample
from curriculum.rewards.base import Reward


@dataclass(frozen=True)
class ExactMatch(Reward):
    """1.0 where the response, white space around it aside, is the ground truth; else 0.0."""

    needs: ClassVar = ("response", "ground_truth")

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        return [float(each.response.strip() == str(each.ground_truth).strip()) for each in samples]
