"""`budget=fixed`: as many rollouts of each problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from curriculum.budgets.base import Budget, Setting, Tally
from curriculum.core.records import Asked


@dataclass(frozen=True)
class Fixed(Budget):
    """`num_samples` rollouts of each problem."""

    divisible: ClassVar[bool] = True

    num_samples: Annotated[int, Field(ge=1)] = 16

    def asked(self, tally: Tally, setting: Setting) -> list[Asked]:
        """See `Budget`."""
        if tally.rounds:
            return []
        return [Asked(problem, 0, self.num_samples) for problem in range(len(tally))]
