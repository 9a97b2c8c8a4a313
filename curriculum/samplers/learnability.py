"""`sampler=learnability`: prompts that are sometimes solved and sometimes not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.records import Floats
from curriculum.samplers.parts.posterior_top_k import PosteriorTopK


@dataclass(frozen=True, kw_only=True)
class Learnability(PosteriorTopK):
    """Of some candidates, those with the highest expected p (1 - p), p being the pass rate.

    Under Beta(a, b) that is a b / ((a + b) (a + b + 1)). To first order, the expected improvement
    of a policy gradient step is proportional to it.

    Source: LILO (arXiv 2502.12272), which estimates p anew from a few rollouts of each candidate;
    here it is the posterior that begins with what was measured, so no rollout is spent on it.
    """

    def score(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """See `PosteriorTopK`."""
        return np.asarray(a * b / ((a + b) * (a + b + 1)))
