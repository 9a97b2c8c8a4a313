"""`sampler=thompson`: prompts whose pass rate, drawn from what is known of it, is near a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats
from curriculum.samplers.parts.beta_posterior import Posterior
from curriculum.samplers.parts.interpolated_posterior import InterpolatedPosterior
from curriculum.samplers.parts.posterior_top_k import BestByPosterior


@dataclass(kw_only=True)
class Thompson(BestByPosterior):
    """Thompson sampling: what is uncertain is tried now and then, so that it gets known.

    Of some candidates, those whose pass rate, drawn from its Beta posterior, is nearest the target.
    The posteriors begin with the rollouts that were measured; a prompt without any has the prior.

    Source: MoPPS (arXiv 2507.04632), "topk". With the references, two fields of extra_info that
    hold the pass rates of a weak and a strong model, the evidence is that of BOTS.
    """

    target: float
    references: list[str] | None
    pseudo_weight: float
    momentum: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.target <= 1:
            raise UserError(f"sampler.target={self.target}: a pass rate, 0 to 1")
        if not 0 <= self.pseudo_weight <= 1:
            raise UserError(f"sampler.pseudo_weight={self.pseudo_weight}: 0 to 1")
        if not 0 <= self.momentum < 1:
            raise UserError(f"sampler.momentum={self.momentum}: 0 or more, below 1")
        if self.references is None:
            return
        if len(self.references) != 2:
            raise UserError(
                f"sampler.references={self.references}: two fields of extra_info, the pass rates "
                "of a weak and of a strong model, [weak,strong]"
            )
        if self.discount == 1:
            raise UserError(
                "sampler.references add evidence with every batch: forget some, like "
                "sampler.discount=0.8, BOTS' own"
            )

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        return self._posterior.metrics()

    def _begun(self, prompts: Prompts, batch_size: float) -> Posterior:
        if self.references is None:
            return super()._begun(prompts, batch_size)
        every, (a0, b0) = np.arange(len(prompts)), self.prior
        weak, strong = (prompts.extra(name, every) for name in self.references)
        return InterpolatedPosterior(
            prompts,
            (a0, b0),
            self.trust,
            (weak, strong),
            1 - self.discount,
            self.pseudo_weight,
            self.momentum,
            batch_size,
        )

    def _score(self, a: Floats, b: Floats) -> Floats:
        return -np.abs(self._rng.beta(a, b) - self.target)
