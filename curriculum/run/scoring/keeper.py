"""Between a run and a scorer: it starts the scorer's process, and answers when that no longer can.

A scorer runs code of strangers. What it does to its parent meets this process and not the run; what
it prints is read here, and the end of it kept; when it ends, hangs or goes, the run hears why.
Nothing heavy is imported here: a process forks safely only before libraries start threads.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pickle import UnpicklingError
from typing import NamedTuple, NoReturn

from curriculum.run.scoring.answer import GOES_ON, Answer

POLL = 0.5  # seconds between looks at whether the scorer lives; mostly its pipe says so at once
KEPT = 1 << 16  # bytes of output, and what a pipe holds
LAST_LINES = 3
MOST_SAID = 300  # characters of these


class Limits(NamedTuple):
    """What a scorer's process may take."""

    loading: float  # seconds
    scoring: float  # seconds for a chunk, or a single sample
    memory_gb: float  # of its data


def keep(run: Connection, reward: bytes, limits: Limits) -> None:
    """In a process of its own: hand the run's chunks to a scorer until one of them is gone.

    Args:
        reward: pickled, so that its modules are first imported in the scorer.
    """
    os.setsid()  # Ctrl-C is the run's to hear
    connection, theirs = Pipe()
    output, printed = os.pipe()
    pid = os.fork()
    if pid == 0:
        run.close()
        connection.close()
        os.close(output)
        _become_scorer(theirs, printed, reward, limits.memory_gb)
    theirs.close()
    os.close(printed)
    os.set_blocking(output, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # scorers signal parents
    scorer = _Scorer(pid, connection, output)
    with suppress(EOFError, OSError):
        try:
            _serve(run, scorer, limits)
        finally:
            scorer.kill()


def _become_scorer(keeper: Connection, output: int, reward: bytes, memory_gb: float) -> NoReturn:
    try:
        from curriculum.run.scoring.scorer import work

        work(keeper, output, reward, memory_gb)
    except BaseException:
        traceback.print_exc()  # among what it has printed
    finally:
        os._exit(1)


def _serve(run: Connection, scorer: _Scorer, limits: Limits) -> None:
    """Raises EOFError when the run is gone."""
    answer = scorer.answer(run, limits.loading)
    run.send(answer._replace(scorer=scorer.pid))
    while answer.kind in GOES_ON:
        chunk = run.recv_bytes()
        scorer.forget_output()
        with suppress(OSError):  # one that has ended meanwhile is heard of next
            scorer.connection.send_bytes(chunk)
        answer = scorer.answer(run, limits.scoring)
        run.send(answer)


class _Scorer:
    """The process below, and the end of what it prints."""

    def __init__(self, pid: int, connection: Connection, output: int) -> None:
        self.pid, self.connection = pid, connection
        self._output: int | None = output
        self._tail = b""
        self._status: int | None = None  # once it has ended

    def answer(self, run: Connection, limit: float) -> Answer:
        """Its next one within so many seconds; raises EOFError when the run is gone."""
        deadline = time.monotonic() + limit
        while True:
            left = deadline - time.monotonic()
            outputs = [] if self._output is None else [self._output]
            ready = wait([run, self.connection, *outputs], max(0.0, min(left, POLL)))
            self._read()
            if self.connection in ready:
                try:
                    answer: Answer = self.connection.recv()
                except (EOFError, OSError, UnpicklingError):
                    return self._ended()
                self._read()
                return self._with_output(answer) if answer.cause else answer
            if run in ready:
                raise EOFError
            if left <= 0:
                return self._with_output(Answer("too late"))
            if self._is_gone() and not self.connection.poll():  # what it forked may hold the pipe
                return self._ended()

    def forget_output(self) -> None:
        """What it prints from now on belongs to the next chunk."""
        self._read()
        self._tail = b""

    def kill(self) -> None:
        """End it with what it has started."""
        for end in (os.killpg, os.kill):  # it may not have a group of its own yet
            with suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)
        if self._status is None:
            _, self._status = os.waitpid(self.pid, 0)

    def _is_gone(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def _ended(self) -> Answer:
        patience = time.monotonic() + 2 * POLL
        while not self._is_gone() and time.monotonic() < patience:
            time.sleep(0.01)  # its pipe closes a moment before
        self.kill()
        self._read()
        code = os.waitstatus_to_exitcode(self._status or 0)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}, {signal.strsignal(-code)}"
        return self._with_output(Answer("ended", f"the scorer's process died ({how})"))

    def _read(self) -> None:
        """Whatever is there, at most what a pipe holds: a flood takes no memory, nor holds up."""
        if self._output is None:
            return
        with suppress(BlockingIOError):
            read = os.read(self._output, KEPT)
            self._tail = (self._tail + read)[-KEPT:]
            if not read:
                self._output = None

    def _with_output(self, answer: Answer) -> Answer:
        lines = [line.strip() for line in self._tail.decode(errors="replace").splitlines()]
        last = " | ".join([line for line in lines if line][-LAST_LINES:])
        if not last:
            return answer
        return answer._replace(cause=f"{answer.cause}; printed last: {last[-MOST_SAID:]}")
