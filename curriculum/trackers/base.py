"""What is followed of a run, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from curriculum.core.prompts import Event
from curriculum.core.records import Outcome
from curriculum.core.run_result import Record
from curriculum.sweep.jobs import planned

# Keys that say where a run is, not what it does.
OUTSIDE = ("output_dir", "store_dir", "resume", "tracker", "report", "provenance")


@dataclass(frozen=True)
class About:
    """A run that begins."""

    record: Record  # filled in as the run goes
    sweep: Path | None  # the folder of the sweep that it is part of
    stage: str  # the last that it reaches: rollouts, buckets or training
    show: bool  # whether the terminal is this run's alone

    @property
    def name(self) -> str:
        """The overrides that set it apart from the other runs of its sweep."""
        told = [each for each in self.record.overrides if not each.lstrip("+").startswith(OUTSIDE)]
        common = _shared_by_all(self.sweep) if self.sweep else set()
        own = [each for each in told if each not in common]
        return " ".join(own or told) or self.record.folder.name

    def config(self) -> dict[str, Any]:
        """Every key with its dots, `bucketer.n`, and the options chosen, `bucketer`."""
        return flat(self.record.config, ".") | self.record.choices


class Tracker(Protocol):
    """Follows one run; steps of a training are counted from 1, 0 is before the first."""

    def buckets(self, outcome: Outcome) -> None:
        """The problems are measured and in buckets."""
        ...

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        ...

    def event(self, step: int, event: Event) -> None:
        """Something that a sampler did."""
        ...

    def trained(self) -> None:
        """The training is over, or has failed: its numbers and events are all there."""
        ...

    def finish(self, error: BaseException | None) -> None:
        """The run is over, or has failed; its record has all that it has to say."""
        ...


class Tracking(Protocol):
    """A way to follow runs: a dataclass whose fields are its knobs."""

    def start(self, about: About) -> Tracker:
        """Raises UserError where runs can't be followed in the way that was asked for."""
        ...

    def compare(self, sweep: Path) -> None:
        """All runs of a sweep have ended, and `comparison.json` is in its folder."""
        ...


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


def _shared_by_all(sweep: Path) -> set[str]:
    """Overrides that all jobs of a sweep have; none where its jobs are not known beforehand."""
    jobs = [set(overrides) for overrides in planned(sweep)]
    return set.intersection(*jobs) if jobs else set()
