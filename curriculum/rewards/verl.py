"""`reward=verl`: verl's own reward functions, chosen by data source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

from curriculum.errors import UserError
from curriculum.records import Sample


@dataclass(frozen=True)
class Verl:
    """What `verl.utils.reward_score.default_compute_score` gives for the problem's data source."""

    def __post_init__(self) -> None:
        if find_spec("verl") is None:
            raise UserError("reward=verl needs the extra: pip install -e '.[verl]'")

    def made_of(self) -> list[str]:
        """Another verl scores anew."""
        return [version("verl")]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        from curriculum.integrations.verl import compute_scores

        return compute_scores(samples)
