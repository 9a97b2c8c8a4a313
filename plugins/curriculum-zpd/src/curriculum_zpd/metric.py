"""How much of a problem's training would not be in vain."""

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.records import Easier, Floats, Rewards
from curriculum.metrics import Metric, PassRate


def gradient_share(pass_rate: Floats, group_size: int) -> Floats:
    """(P,) share of groups in which some rollouts pass and some fail: 1 - p^G - (1-p)^G."""
    return 1 - pass_rate**group_size - (1 - pass_rate) ** group_size


@dataclass(frozen=True)
class GradientShare(Metric):
    """Share of groups of `group_size` rollouts that would carry a gradient: more is easier."""

    group_size: int = 8
    threshold: float = 0.5  # the reward from which a rollout passes
    easier: ClassVar[Easier] = "higher"

    def __call__(self, rewards: Rewards) -> Floats:
        pass_rate = PassRate(self.threshold)(rewards)
        return gradient_share(pass_rate, self.group_size)
