"""The bounds, as the configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.core.errors import UserError


@dataclass(frozen=True)
class Rails:
    """The bounds, the same for every sampler.

    Raises:
        UserError: where one is out of its range.
    """

    floor: float
    quotas: dict[str, float] | None
    no_repeat: int
    max_repeats: int | None
    collapse: float | None
    patience: int

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise UserError(f"sampler.floor={self.floor}: a share of each batch, 0 to 1")
        if self.no_repeat < 0 or (self.max_repeats is not None and self.max_repeats < 1):
            raise UserError("sampler.no_repeat: 0 draws or more; sampler.max_repeats: 1 or more")
        if self.collapse is not None and not 0 < self.collapse < 1:
            raise UserError(f"sampler.collapse={self.collapse}: a share between 0 and 1, or null")
        if self.patience < 1:
            raise UserError(f"sampler.patience={self.patience}: 1 batch or more")
        weights = (self.quotas or {}).values()
        finite = all(0 <= weight < float("inf") for weight in weights)
        if self.quotas is not None and not (finite and sum(weights) > 0):
            raise UserError(f"sampler.quotas={self.quotas}: weights of 0 or more, not all 0")
