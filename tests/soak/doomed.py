"""A run in a fork of this process that is killed at its n-th change of the disk, or after a while.

Python says of each file that it opens to write, renames, removes or makes (`sys.addaudithook`).
Arrow's writers say nothing, but what they write has its name from `whole`, which does; between two
changes a run dies by the clock.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree"}
NEVER = 1 << 60


class Ended(NamedTuple):
    """How a run has ended."""

    code: int  # negative: the signal that ended it
    changes: int  # of the disk, where it was not killed
    seconds: float


def run(
    arguments: Sequence[str], folder: Path, at: int = NEVER, after: float | None = None
) -> Ended:
    """`python run.py ...` in a folder; its output is in `said.txt` there.

    Args:
        at: the change of the disk before which it is killed, counted from 1.
        after: seconds after which it is killed.
    """
    begun = time.monotonic()
    counted, count = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(counted)
        _become_run(arguments, folder, at, count)
    os.close(count)
    timer = threading.Timer(after, os.kill, (pid, signal.SIGKILL)) if after is not None else None
    if timer:
        timer.start()
    with os.fdopen(counted) as said:
        changes = said.read()
    _, status = os.waitpid(pid, 0)
    if timer:
        timer.cancel()
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, int(changes or 0), time.monotonic() - begun)


def _become_run(arguments: Sequence[str], folder: Path, at: int, count: int) -> None:
    code = 70
    try:
        os.chdir(folder)
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        counter = _Counter(folder, at)
        sys.addaudithook(counter)
        sys.argv[:] = [str(ROOT / "run.py"), *arguments]
        from curriculum.run.command import start

        try:
            code = start()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(count, str(counter.changes).encode())
    finally:
        os._exit(code)


class _Counter:
    def __init__(self, folder: Path, at: int) -> None:
        self.changes, self._at, self._pid, self._here = 0, at, os.getpid(), f"{folder}/"

    def __call__(self, event: str, given: tuple) -> None:
        if event == "open":
            path, mode, flags = given
            written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if flags else mode not in "rb"
        elif event in CHANGES:
            path, written = given[0], True
        else:
            return
        if not written or not isinstance(path, str | os.PathLike) or os.getpid() != self._pid:
            return
        if os.path.abspath(os.fspath(path)).startswith(self._here):
            self.changes += 1
            if self.changes == self._at:
                os.kill(self._pid, signal.SIGKILL)
