"""What is followed of a run, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from curriculum.core.measured import Measured
from curriculum.core.prompts import Event
from curriculum.core.run_result import RunResult


@dataclass(frozen=True)
class About:
    """A run that begins."""

    folder: Path  # its own
    name: str  # what sets it apart from the other runs of its sweep
    sweep: Path | None  # the folder of the sweep that it is part of
    step: str  # the last step that it reaches, or training
    config: Mapping[str, Any]  # plain values
    choices: Mapping[str, str]  # option of each group

    def keys(self) -> dict[str, Any]:
        """Every key with its dots, `bucketer.n`, and the options chosen, `bucketer`."""
        return flat(self.config, ".") | dict(self.choices)


class Tracker(Protocol):
    """Follows one run; steps of a training are counted from 1, 0 is before the first."""

    def buckets(self, outcome: Measured) -> None:
        """The problems are measured and in buckets."""
        return

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        return

    def event(self, step: int, event: Event) -> None:
        """Something that a sampler did."""
        return

    def trained(self) -> None:
        """The training is over, or has failed: its numbers and events are all there."""
        return

    def finish(self, result: RunResult, error: BaseException | None) -> None:
        """The run is over, or has failed; the result has all that it has to say."""
        return


class Tracking(Protocol):
    """A way to follow runs: a dataclass whose fields are its settings."""

    def start(self, about: About) -> Tracker:
        """Raises UserError where runs can't be followed in the way that was asked for."""
        ...

    def compare(self, sweep: Path) -> None:
        """All runs of a sweep have ended, and `comparison.json` is in its folder."""
        return


def flat(values: Mapping[str, Any], separator: str) -> dict[str, Any]:
    """Nested keys in one, but for a strategy's `_target_`, which its option says."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = flat(value, separator).items()
            found |= {f"{key}{separator}{name}": each for name, each in inner}
        elif key != "_target_":
            found[str(key)] = value
    return found
