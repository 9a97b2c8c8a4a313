"""The bounds, as the configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.samplers.base import AtLeastOne, Share, Weight


@dataclass(frozen=True)
class Guards:
    """The bounds, the same for every sampler."""

    floor: Share = 0.05
    quotas: dict[str, Weight] | Literal["pool"] | None = "pool"
    no_repeat: Annotated[int, Field(ge=0)] = 0
    max_repeats: AtLeastOne | None = None
    collapse: Annotated[float, Field(gt=0, lt=1)] | None = 0.1
    patience: AtLeastOne = 20

    def sources_named(self) -> dict[str, list[str]]:
        """Data sources that settings name, by setting."""
        return {"quotas": list(self.quotas)} if isinstance(self.quotas, dict) else {}

    def __post_init__(self) -> None:
        given = self.quotas if isinstance(self.quotas, dict) else {"": 1.0}
        if not sum(given.values()) > 0:
            raise UserError(f"sampler.quotas={self.quotas}: weights that are not all 0")
