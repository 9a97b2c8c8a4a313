"""How far the work of a run is: from the store, from the log, and from its training's files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from curriculum.watch.log import Log, Progress
from curriculum.watch.rollouts import GENERATING, UnderWay
from curriculum.watch.training import Course

TRAINING = "training"  # how the log's name of that work begins


class Bar(NamedTuple):
    """Some work, and how much of it is done."""

    work: str
    done: int
    total: int | None  # None: unknown
    unit: str
    note: str = ""  # how fast it is, and what is left

    @property
    def amount(self) -> str:
        """In words."""
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.done:,}{of} {self.unit}"


def bars_of(
    entries: Sequence[UnderWay], log: Log, course: Course, steps: int | None, running: bool
) -> list[Bar]:
    """Work under way, or where a run has ended amid it.

    Args:
        entries: of the store.
        steps: of the training, in all.
        running: whether what the log says of its speed still holds.
    """
    said = {_work(log.progress): log.progress} if log.progress else {}
    found = []
    for entry in entries:
        told = said.pop(entry.work, None)
        asked = log.asked if entry.work == GENERATING else told and told.total
        # Of shards, the log knows its own part, and the store has those of all.
        total = None if entry.shared or asked is None or asked < entry.rollouts else asked
        found.append(Bar(entry.work, entry.rollouts, total, "rollouts", _speed(told, running)))
    told = said.pop(TRAINING, None)
    done = max([course.last or 0, *([told.done] if told else [])])
    if told is not None or course.last is not None:
        total = told.total if told else steps
        found.append(Bar(TRAINING, done, total, "steps", _speed(told, running)))
    for told in said.values():
        found.append(Bar(told.work, told.done, told.total, told.unit, _speed(told, running)))
    return found


def _work(told: Progress) -> str:
    return TRAINING if told.work.startswith(TRAINING) else told.work


def _speed(told: Progress | None, running: bool) -> str:
    if told is None or not running:
        return ""
    return f"{told.rates}, {told.left} left, said at {told.at}"
