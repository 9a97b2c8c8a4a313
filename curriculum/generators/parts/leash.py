"""Processes that must not outlive the one that needs them, also where that one is killed.

`python -m curriculum.generators.parts.leash COMMAND` runs it, and ends it when the standard
input closes.
`... --children PID` ends a parent's other children after it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread

PATIENCE = 15.0  # seconds to end by itself


@contextmanager
def children() -> Iterator[None]:
    """Have what this process starts meanwhile end with it."""
    command = [sys.executable, "-m", __name__, "--children", str(os.getpid())]
    with subprocess.Popen(command, start_new_session=True) as leash:  # Ctrl-C is not for it
        try:
            yield
        finally:
            leash.kill()


def main() -> int:
    """Run the command; its exit code."""
    if sys.argv[1] == "--children":
        _end_children(int(sys.argv[2]))
        return 0
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    for sent_to_all in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C, a scheduler
        signal.signal(sent_to_all, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=(command.pid,), daemon=True).start()
    code = command.wait()
    with suppress(ProcessLookupError):  # what it has left behind
        os.killpg(command.pid, signal.SIGKILL)
    return code


def _end_with_parent(group: int) -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered one would be in the way at the end
        pass
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        time.sleep(PATIENCE)
        os.killpg(group, signal.SIGKILL)


def _end_children(parent: int) -> None:
    psutil = import_module("psutil")  # comes with vLLM
    started = set()
    while os.getppid() == parent:
        with suppress(psutil.NoSuchProcess):
            started |= set(psutil.Process(parent).children(recursive=True))
        time.sleep(0.5)
    started.discard(psutil.Process())
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(started, PATIENCE)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
