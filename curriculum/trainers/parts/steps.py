"""The numbers of each step of a training, and what happened: what charts are drawn of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum.core.records import Floats

POINTS = 50  # of a curve; where there are more steps, means of as many each


class Steps:
    """Columns of (T,) numbers, NaN where a step has none, and events as `events.jsonl` has them."""

    def __init__(self, columns: Mapping[str, Floats], events: Sequence[Mapping[str, Any]]) -> None:
        self._columns, self.events = columns, events
        self.count = len(self["step"])
        self.groups = np.array_split(np.arange(self.count), min(self.count, POINTS) or 1)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Floats:
        return self._columns[name]

    def means(self, name: str) -> Floats:
        """(points,) means over the steps of each point, NaN where there is no number."""
        values = self[name]
        known = np.isfinite(values)
        sums = np.array([values[group][known[group]].sum() for group in self.groups])
        counts = np.array([known[group].sum() for group in self.groups])
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    @property
    def x(self) -> tuple[str, str]:
        """What curves run over, and its title."""
        return ("rollouts", "rollouts") if "rollouts" in self else ("step", "batches")

    def level_ups(self) -> list[dict[str, Any]]:
        """Each with the place `at` which its line stands, and what it says."""
        name, _ = self.x
        found = []
        for event in self.events:
            if event["event"] == "level_up":
                row = int(np.searchsorted(self["step"], event["step"]))
                at = float(self[name][min(row, self.count - 1)])
                short = {key: event.get(key) for key in ("level", "threshold", "reward", "source")}
                short["reward"] = round(float(event.get("reward", np.nan)), 3)
                found.append({"at": at, "step": event["step"], **short})
        return found

    def shares(self, kind: str) -> dict[str, Floats]:
        """(points,) of each bucket's or source's share of the batches."""
        prefix = f"{kind}/"
        names = [name for name in self._columns if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.means(name) for name in names}
