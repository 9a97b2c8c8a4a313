"""What a metric is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Protocol

from pydantic import Field

from curriculum.core.records import Easier, Floats, Rewards

Samples = Annotated[int, Field(ge=1)]  # of a problem


class Metric(Protocol):
    """One number a problem, without a Python loop over problems.

    A frozen dataclass whose fields are its settings, all of them with defaults. It is computed on
    parts of the problems, each with all of its rewards, so a problem's number must not depend on
    the others it comes with.
    """

    easier: ClassVar[Easier]  # whether a higher or a lower value means an easier problem
    orders_like_pass_rate: ClassVar[bool] = False  # whether equal shares by it are shares by that

    @property
    def name(self) -> str | None:
        """Of its column; None: what the configuration calls the option."""
        return None

    def __call__(self, rewards: Rewards) -> Floats:
        """(P,) one number a problem; NaN where it has too few rollouts."""
        ...
