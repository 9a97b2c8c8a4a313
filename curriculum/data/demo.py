"""`data=demo`: real rollouts of this project's own very small model, shipped with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import curriculum
from curriculum.data.base import Loaded
from curriculum.data.rollouts import Rollouts
from curriculum.formats.names import FailedCalls

FILE = Path(curriculum.__file__).parent / "demo" / "rollouts.parquet"


@dataclass(frozen=True)
class Demo(Rollouts):
    """1,008 reasoning-gym problems x 16 samples; see curriculum/demo/README.md."""

    path: str | list[str] = field(default=str(FILE), init=False)
    columns: dict[str, str | int] | None = field(default=None, init=False)
    step: int | None = field(default=None, init=False)
    failed_calls: FailedCalls = field(default="excluded", init=False)
    reward_key: str | None = field(default=None, init=False)

    @property
    def label(self) -> str:
        """See `Data`."""
        return "Demo: rollouts of a 0.25M-parameter model of our own on reasoning-gym"

    def load(self) -> Loaded:
        """See `Data`; nothing of it had to be guessed."""
        return super().load()._replace(took=())
