"""Worker processes for a reward: each chunk comes back as rewards, or as the cause there are none.

pebble's pool was tried first: all of it gives up where a worker dies before the parent has heard
what it works on. Here each worker has a pipe of its own, and what dies takes one chunk with it.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread

from curriculum.core.errors import UserError, not_importable
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward

# Forking a process that has threads (arrow's, say) can deadlock the child.
CONTEXT = multiprocessing.get_context("spawn")
CHUNK = 64  # samples handed to a worker at once
LOADED = "loaded"

Chunk = list[tuple[int, Sample]]  # (row of the rollout, sample)
Measured = list[float] | str  # a reward a sample, or the cause that there are none


@contextmanager
def workers_for(reward: Reward, count: int) -> Iterator[list[Worker]]:
    """Processes that score, until they are needed no more."""
    workers = [Worker(reward) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def score_chunks(
    workers: Sequence[Worker], samples: Iterator[tuple[int, Sample]], time_limit: float
) -> Iterator[tuple[Chunk, Measured]]:
    """Score in worker processes; yield chunks as they are done.

    A chunk that raises, hangs or kills its process is done again sample by sample, so that only
    single samples fail; after one that took too long, chunks are smaller.

    Args:
        samples: (row of the rollout, sample).
        time_limit: seconds for a chunk, and for a single sample.

    Raises:
        UserError: where the reward can't be loaded, or can't import what it needs.
    """
    again: list[Chunk] = []
    size = CHUNK
    while True:
        for worker in workers:
            if not worker.chunk:
                worker.take(again.pop() if again else list(islice(samples, size)), time_limit)
        busy = [worker for worker in workers if worker.chunk]
        if not busy:
            return
        for worker in _with_news(busy):
            chunk, outcome = worker.chunk, worker.hear(time_limit)
            if isinstance(outcome, str) and len(chunk) > 1:
                if outcome == too_late(time_limit):
                    size = min(size, max(1, len(chunk) // 8))
                again += [[one] for one in reversed(chunk)]
            elif outcome is not None:
                yield chunk, outcome


class Worker:
    """A process that scores a chunk at a time, and is replaced when it dies or takes too long."""

    def __init__(self, reward: Reward) -> None:
        self.reward = reward
        self.loading = reward.loading
        self.chunk: Chunk = []
        self._start()

    def take(self, chunk: Chunk, time_limit: float) -> None:
        """Work on a chunk, from when the reward is loaded."""
        self.chunk = chunk
        if chunk and self.loaded:
            self.deadline = time.monotonic() + time_limit
            with suppress(OSError):  # a worker that died meanwhile is heard of next
                self.connection.send([sample for _, sample in chunk])

    def hear(self, time_limit: float) -> Measured | None:
        """What became of the chunk; None where the worker has only loaded the reward."""
        try:
            if not self.connection.poll():
                return self._too_late(time_limit)
            outcome: Measured | UserError = self.connection.recv()
        except (EOFError, OSError):
            return self._died()
        if isinstance(outcome, UserError):
            raise outcome
        if outcome == LOADED:
            self.loaded = True
            self.take(self.chunk, time_limit)
            return None
        self.chunk = []
        return outcome

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)  # with what the scorer started
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _start(self) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_work, args=(theirs, self.reward))
        self.process.start()
        theirs.close()
        self.loaded, self.deadline = False, time.monotonic() + self.loading

    def _restart(self) -> None:
        self.stop()
        self.chunk = []
        self._start()

    def _too_late(self, time_limit: float) -> str:
        if not self.loaded:
            raise UserError(f"the reward did not load within {self.loading:g} s")
        self._restart()
        return too_late(time_limit)

    def _died(self) -> str:
        self.process.join()
        code = self.process.exitcode
        if not self.loaded:
            raise UserError(f"the reward ends its process as it is loaded (exit code {code})")
        self._restart()
        return f"the scorer's process died (exit code {code})"


def too_late(time_limit: float) -> str:
    """The cause of a failure by time."""
    return f"no reward within {time_limit:g} s (reward.time_limit)"


def _with_news(busy: Sequence[Worker]) -> list[Worker]:
    """Wait for the first that has something to say, has died, or has run out of time."""
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready = wait([worker.connection for worker in busy], patience)
    now = time.monotonic()
    return [worker for worker in busy if worker.connection in ready or worker.deadline <= now]


def _work(connection: Connection, reward: Reward) -> None:
    """In the process: score what comes until the parent is gone."""
    os.setsid()  # Ctrl-C is the parent's to hear; and what the scorer starts ends with it
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError):
        connection.send(_load(reward))
        while True:
            connection.send(_score(reward, connection.recv()))


def _load(reward: Reward) -> str | UserError:
    """`LOADED`, or what is wrong with the configuration and no sample's failure."""
    try:
        reward.score([])
    except UserError as error:
        return error
    except ImportError as error:
        return not_importable("the reward", error)
    except (Exception, SystemExit):
        pass  # it goes wrong again, and is told, at the first sample
    return LOADED


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _score(reward: Reward, samples: Sequence[Sample]) -> Measured | UserError:
    try:
        rewards = [float(each) for each in reward.score(samples)]
        if len(rewards) != len(samples):
            raise ValueError(f"{len(rewards)} rewards for {len(samples)} samples")
        if not all(map(math.isfinite, rewards)):
            raise ValueError("the reward is not a finite number")
    # Whatever a scorer raises belongs to its sample, but for what is missing on this machine.
    except (Exception, SystemExit) as error:
        if isinstance(error, ImportError) and _of_a_file(error):
            return not_importable("the reward", error)
        return f"{type(error).__name__}: {error}"
    return rewards


def _of_a_file(error: ImportError) -> bool:
    """Whether code of a file raised it, rather than code in a response that a scorer executes."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if not each.filename.startswith("<frozen importlib")]
    return all(Path(each.filename).is_file() for each in own)
