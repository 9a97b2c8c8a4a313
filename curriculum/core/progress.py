"""How far long work is: a live bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds between lines
PER = (("s", 1), ("min", 60), ("h", 3600))


class Advance(Protocol):
    """Takes note of what has been done since it was last called."""

    def __call__(self, count: int, tokens: int = 0) -> None:
        """So many more of the total, and of the tokens that were made with them."""
        ...


@contextmanager
def progress(work: str, unit: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show how far the work is, from `done` of `total` on.

    Args:
        work: what is being done: "scoring".
        unit: what is counted: "rollouts".
    """
    err = Console(stderr=True)
    if not err.is_terminal:
        yield _Lines(work, unit, total, done)
        return
    columns = TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn()
    rates = _Rates(Column(no_wrap=True))
    with Progress(*columns, rates, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(work, total=total, completed=done, unit=unit, tokens=0)

        def advance(count: int, tokens: int = 0) -> None:
            bar.update(task, advance=count, tokens=bar.tasks[task].fields["tokens"] + tokens)

        yield advance


class _Lines:
    """The same without a terminal: nothing for what is done within seconds."""

    def __init__(self, work: str, unit: str, total: int, done: int) -> None:
        self._work, self._unit, self._total = work, unit, total
        self._before = self._done = done
        self._tokens = 0
        self._start = self._said = time.monotonic()

    def __call__(self, count: int, tokens: int = 0) -> None:
        self._done += count
        self._tokens += tokens
        now = time.monotonic()
        if now - self._said < EVERY:
            return
        self._said, seconds = now, now - self._start
        rate = (self._done - self._before) / seconds
        left = timedelta(seconds=round((self._total - self._done) / rate)) if rate else "unknown"
        log.info(
            "%s: %s of %s %s, %s; %s left",
            self._work,
            f"{self._done:,}",
            f"{self._total:,}",
            self._unit,
            _rates(rate, self._tokens / seconds, self._unit),
            left,
        )


class _Rates(ProgressColumn):
    """What is done in a second."""

    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0
        tokens = task.fields["tokens"] / seconds if seconds else 0
        return Text(_rates(task.speed or 0, tokens, task.fields["unit"]))


def _rates(speed: float, tokens: float, unit: str) -> str:
    per, seconds = next((each for each in PER if speed * each[1] >= 1), PER[-1])
    of_units = f"{speed * seconds:,.0f} {unit}/{per}"
    return f"{of_units}, {tokens:,.0f} tokens/s" if tokens else of_units
