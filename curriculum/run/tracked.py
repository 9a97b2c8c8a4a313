"""A run that is followed: by its local files always, and by what the configuration chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from curriculum.core.measured import Measured
from curriculum.core.prompts import Event
from curriculum.core.run_result import RunResult
from curriculum.core.secrets import redacted
from curriculum.run.context import Context
from curriculum.run.settings import Settings
from curriculum.sweep.jobs import own_overrides
from curriculum.trackers import About, LocalTracker, Tracker


@contextmanager
def tracked(settings: Settings, cfg: Mapping[str, Any], context: Context) -> Iterator[Tracker]:
    """Follow a run to its end, also where that is an exception, Ctrl-C or SIGTERM.

    Args:
        cfg: plain values, for who notes them.
    """
    step = settings.until or ("training" if settings.trainer else "buckets")
    given = [] if cfg["name"] is None else [str(cfg["name"])]
    told = [*given, *own_overrides(context.overrides, context.sweep)]
    name = redacted(" ".join(told)) or context.folder.name
    about = About(context.folder, name, context.sweep, step, redacted(cfg), context.choices)
    local = LocalTracker(context.folder)
    every = _Every([local, settings.tracking.start(about)])
    try:
        yield every
    except BaseException as error:
        every.finish(context.ledger.result(error), error)
        raise
    every.finish(context.ledger.result(), None)


class _Every(Tracker):
    """All of them as one."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = trackers

    def buckets(self, outcome: Measured) -> None:
        for tracker in self._trackers:
            tracker.buckets(outcome)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for tracker in self._trackers:
            tracker.log(step, values)

    def event(self, step: int, event: Event) -> None:
        for tracker in self._trackers:
            tracker.event(step, event)

    def trained(self) -> None:
        for tracker in self._trackers:
            tracker.trained()

    def finish(self, result: RunResult, error: BaseException | None) -> None:
        for tracker in self._trackers:
            tracker.finish(result, error)
