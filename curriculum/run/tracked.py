"""A run that is followed: by its local files always, and by what the configuration chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from curriculum.core.prompts import Event
from curriculum.core.records import Outcome
from curriculum.trackers.base import About, Tracker, Tracking
from curriculum.trackers.local import Local


@contextmanager
def tracked(chosen: Tracking, about: About) -> Iterator[Tracker]:
    """Follow a run to its end, also where that is an exception, Ctrl-C or SIGTERM."""
    ways = [Local()] if isinstance(chosen, Local) else [Local(), chosen]
    every = _Every([way.start(about) for way in ways])
    try:
        yield every
    except BaseException as error:
        every.finish(error)
        raise
    every.finish(None)


class _Every:
    """All of them as one; see `Tracker`."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = trackers

    def buckets(self, outcome: Outcome) -> None:
        for each in self._trackers:
            each.buckets(outcome)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for each in self._trackers:
            each.log(step, values)

    def event(self, step: int, event: Event) -> None:
        for each in self._trackers:
            each.event(step, event)

    def trained(self) -> None:
        for each in self._trackers:
            each.trained()

    def finish(self, error: BaseException | None) -> None:
        for each in self._trackers:
            each.finish(error)
