"""`budget=fixed`: as many rollouts of each problem."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.core.errors import UserError
from curriculum.core.records import Asked


@dataclass(frozen=True)
class Fixed:
    """`num_samples` rollouts of each problem."""

    num_samples: int

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise UserError(f"num_samples={self.num_samples}: 1 or more")

    def asked(self, problems: int) -> list[Asked]:
        """What is asked for each of so many problems."""
        return [Asked(problem, 0, self.num_samples) for problem in range(problems)]
