"""`run.log` of a run: the numbers in its lines, and the last of them as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

FILE = "run.log"
TAIL = 60  # lines shown
WIDEST = 2000  # characters of a line shown
SLACK = 1.0  # seconds between the start that Hydra notes and the clock of the log
TIME = "%Y-%m-%d %H:%M:%S"
# As hydra.job_logging in conf/config.yaml has it.
LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) \w+ ([\w.]+): (.*)")


class Round(NamedTuple):
    """One of a budget's."""

    number: int
    problems: int  # that got more rollouts
    entry: str | None  # of the store, with these rollouts


class Progress(NamedTuple):
    """How far long work was when it last said so."""

    work: str
    done: int
    total: int
    unit: str
    rates: str  # "12 rollouts/s, 800 tokens/s"
    left: str  # "0:01:20", or unknown
    at: str  # time of day, by the clock of the run


@dataclass
class Log:
    """What the lines since a run's start have said."""

    tail: list[str] = field(default_factory=list)
    asked: int | None = None  # rollouts of the entry that is being made
    entries: list[str] = field(default_factory=list)  # of rollouts that are there
    rounds: list[Round] = field(default_factory=list)
    progress: Progress | None = None  # of the work under way
    awaited: str | None = None  # what another run is making for this one
    rates: dict[int, float] = field(default_factory=dict)  # held-out pass rate after each step


def read_log(folder: Path, began: float | None) -> Log:
    """What a run's log says, without what earlier runs in the folder have said there.

    Args:
        began: when the run was started, by the clock of the disk; None: all of it counts.
    """
    log = Log()
    try:
        with (folder / FILE).open("rb") as file:
            stat = os.fstat(file.fileno())
            text = file.read(stat.st_size).decode("utf-8", "replace")
    except OSError:
        return log
    whole, _, torn = text.rpartition("\n")
    lines = whole.split("\n") if whole else []
    lines = list(_since(lines, _first_time(lines, stat.st_mtime, began)))
    for line in lines:
        if found := LINE.fullmatch(line):
            _take(log, *found.groups())
    log.tail = [each[:WIDEST] for each in [*lines, *filter(None, [torn])][-TAIL:]]
    return log


def _first_time(lines: list[str], written: float, began: float | None) -> str:
    """The least time of a line of this run.

    The last line was written when the file was, which tells how far the clock and the time zone of
    the run's machine are from those of the disk and of this one.
    """
    times = (found[1] for line in reversed(lines) if (found := LINE.match(line)))
    last = next(times, None)
    if began is None or last is None:
        return ""
    behind = written - datetime.strptime(last[:-4], TIME).timestamp() - int(last[-3:]) / 1000
    first = datetime.fromtimestamp(began - behind - SLACK)
    return f"{first.strftime(TIME)},{first.microsecond // 1000:03d}"


def _since(lines: list[str], first: str) -> Iterator[str]:
    """Lines from a time on; one without a time, as of a traceback, belongs to the one before."""
    counts = not first
    for line in lines:
        if found := LINE.match(line):
            counts = found[1] >= first
        if counts:
            yield line


def _take(log: Log, time: str, logger: str, message: str) -> None:
    for (who, pattern), take in SAID.items():
        if who == logger and (found := re.fullmatch(pattern, message)):
            take(log, time, found)


def _generating(log: Log, time: str, found: re.Match[str]) -> None:
    log.asked = int(found[1])


def _waiting(log: Log, time: str, found: re.Match[str]) -> None:
    log.awaited = found[1]


def _entry(log: Log, time: str, found: re.Match[str]) -> None:
    log.progress = log.awaited = None  # of what was made
    if found[1] == "rollouts":
        log.entries.append(Path(found[2]).name)
        log.asked = None


def _round(log: Log, time: str, found: re.Match[str]) -> None:
    made = log.entries[-1] if log.entries else None
    log.rounds.append(Round(int(found[1]), int(found[2]), made))


def _progress(log: Log, time: str, found: re.Match[str]) -> None:
    work, done, total, unit, rates, left = found.groups()
    of = int(total.replace(",", ""))
    log.progress = Progress(work, int(done.replace(",", "")), of, unit, rates, left, time[11:19])


def _held_out(log: Log, time: str, found: re.Match[str]) -> None:
    log.rates[int(found[1])] = float(found[2])


Take = Callable[[Log, str, re.Match[str]], None]
# Who says it, how, and what becomes of it.
STORE, TRAINERS = "curriculum.store.entries", "curriculum.trainers.parts"
HELD_OUT = r"step (\d+): held-out pass rate ([\d.]+) \(.*\)"
SAID: dict[tuple[str, str], Take] = {
    ("curriculum.run.generating.entries", r"rollouts: generating \d+ of (\d+)"): _generating,
    (STORE, r"(\w+): another run is making it \(.*\); waiting"): _waiting,
    (STORE, r"(\w+): (?:made|reused) (.+)"): _entry,
    ("curriculum.run.rounds", r"round (\d+): more rollouts of (\d+) problems"): _round,
    ("curriculum.core.progress", r"(.+): ([\d,]+) of ([\d,]+) (\w+), (.+); (.+) left"): _progress,
    (f"{TRAINERS}.local_loop", HELD_OUT): _held_out,
    (f"{TRAINERS}.trl_loop", HELD_OUT): _held_out,
}
