"""`sampler=thompson`: prompts whose pass rate, drawn from what is known of it, is near a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats
from curriculum.samplers.base import Share
from curriculum.samplers.parts.beta_posterior import BetaPosterior
from curriculum.samplers.parts.interpolated_posterior import InterpolatedPosterior
from curriculum.samplers.parts.posterior_top_k import PosteriorTopK


@dataclass(frozen=True, kw_only=True)
class Thompson(PosteriorTopK):
    """Thompson sampling: what is uncertain is tried now and then, so that it gets known.

    Of some candidates, those whose pass rate, drawn from its Beta posterior, is nearest the target.
    The posteriors begin with the rollouts that were measured; a prompt without any has the prior.

    Source: MoPPS (arXiv 2507.04632), "topk". With the references, two fields of extra_info that
    hold the pass rates of a weak and a strong model, the evidence is that of BOTS.
    """

    target: Share = 0.5
    references: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    pseudo_weight: Share = 0.2
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9

    def __post_init__(self) -> None:
        if self.references is not None and self.discount == 1:
            raise UserError(
                "sampler.references add evidence with every batch: forget some, like "
                "sampler.discount=0.8, BOTS' own"
            )

    def posterior(self, prompts: Prompts, batch_size: float) -> BetaPosterior:
        """See `PosteriorTopK`."""
        if self.references is None:
            return super().posterior(prompts, batch_size)
        every = np.arange(len(prompts))
        weak, strong = (prompts.extra(name, every) for name in self.references)
        return InterpolatedPosterior(
            prompts, self.evidence, batch_size, (weak, strong), self.pseudo_weight, self.momentum
        )

    def score(self, a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """See `PosteriorTopK`."""
        return -np.abs(rng.beta(a, b) - self.target)
