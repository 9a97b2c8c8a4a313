"""Cut where groups stop carrying a gradient."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from curriculum.bucketers import Bucketer
from curriculum.core.errors import UserError
from curriculum.core.records import Cuts, Integers, Metrics, reaches
from curriculum_zpd.metric import gradient_share


@dataclass
class ZPD(Bucketer):
    """Mastered, learnable, out of reach.

    Learnable are problems of which at least `min_share` of the groups of `group_size` rollouts
    would carry a gradient; the others are told apart by their pass rate.
    """

    group_size: int = 8
    min_share: float = 0.5
    edges_: list[float] = field(init=False)  # the highest and the lowest learnable pass rate
    names_: list[str] = field(init=False)

    def __post_init__(self) -> None:
        if self.group_size < 2 or not 0 < self.min_share < 1:
            raise UserError("bucketer.group_size must be 2 or more, bucketer.min_share in (0, 1)")

    def fit(self, metrics: Metrics) -> Self:
        """The edges follow from the knobs; see `Bucketer`."""
        rates = np.linspace(0, 1, 10_001)
        learnable = rates[gradient_share(rates, self.group_size) >= self.min_share]
        if not len(learnable):
            best = gradient_share(np.array([0.5]), self.group_size)[0]
            raise UserError(
                f"bucketer.min_share={self.min_share} is out of reach: groups of "
                f"{self.group_size} carry a gradient in at most {best:.3f} of the cases"
            )
        self.edges_ = [float(learnable.max()), float(learnable.min())]
        self.names_ = ["mastered", "learnable", "out_of_reach"]
        return self

    def assign(self, metrics: Metrics) -> Integers:
        """See `Bucketer`."""
        rate = metrics["c"] / metrics["n"]
        mastered_up_to, reached_from = self.edges_
        mastered = reaches(rate, mastered_up_to, strict=True)
        return np.where(mastered, 0, np.where(reaches(rate, reached_from, strict=False), 1, 2))

    def describe(self, metrics: Metrics) -> Cuts:
        """See `Bucketer`: the page draws these edges, tables list them."""
        scale = metrics.basis["scale"]  # 100 where pass rates are in percent
        return Cuts("pass_rate", [scale * rate for rate in self.edges_])
