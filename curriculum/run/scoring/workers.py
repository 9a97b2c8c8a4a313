"""Worker processes for a reward: each chunk comes back as rewards, or as the cause there are none.

pebble's pool was tried first: all of it gives up where a worker dies before the parent has heard
what it works on. Here each worker has a pipe of its own, and what dies takes one chunk with it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import wait

from curriculum.core.errors import UserError
from curriculum.core.memory import count_memory
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.answer import GOES_ON, Answer
from curriculum.run.scoring.keeper import Limits, keep

# Forking a process that has threads (arrow's, say) can deadlock the child.
CONTEXT = multiprocessing.get_context("spawn")
CHUNK = 64  # samples handed to a worker at once
GRACE = 5.0  # seconds after a limit until the keeper, who sees to it, is taken for dead
LEAST_GB = 4.0  # of a worker, where no limit is set: libraries alone take one or two

Chunk = list[tuple[int, Sample]]  # (row of the rollout, sample)


@contextmanager
def workers_for(
    reward: Reward, count: int, time_limit: float, memory_gb: float | None = None
) -> Iterator[list[Worker]]:
    """Processes that score, until they are needed no more.

    Args:
        time_limit: seconds for a chunk, and for a single sample.
        memory_gb: of each; None: a share of the machine's, 4 at least.
    """
    memory_gb = memory_gb or max(LEAST_GB, count_memory() / max(1, count))
    limits, pickled = Limits(reward.loading, time_limit, memory_gb), pickle.dumps(reward)
    workers: list[Worker] = []
    try:
        for _ in range(count):
            workers.append(Worker(pickled, limits))
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def require_loads(reward: Reward, memory_gb: float | None) -> None:
    """Raise UserError where the reward can't be loaded."""
    with workers_for(reward, 1, reward.loading, memory_gb) as (worker,):
        while not worker.loaded:
            for each in _with_news([worker]):
                each.hear()


def score_chunks(
    workers: Sequence[Worker], samples: Iterator[tuple[int, Sample]]
) -> Iterator[tuple[Chunk, Answer]]:
    """Score in worker processes; yield chunks as they are done, with rewards or the cause.

    A chunk that raises, hangs or kills its process is done again sample by sample, so that only
    single samples fail; after one that took too long, chunks are smaller. A process that ends may
    do so for what another sample has left in it, so a single one is done again in a fresh process.

    Args:
        samples: (row of the rollout, sample).

    Raises:
        UserError: where the reward can't be loaded, or can't import what it needs.
    """
    again: list[Chunk] = []
    size = CHUNK
    while True:
        for worker in workers:
            if not worker.chunk:
                worker.take(again.pop() if again else list(islice(samples, size)))
        busy = [worker for worker in workers if worker.chunk]
        if not busy:
            return
        for worker in _with_news(busy):
            chunk, was_fresh, answer = worker.chunk, worker.is_fresh, worker.hear()
            if answer is None:
                continue
            if answer.rewards is None and len(chunk) > 1:
                if answer.kind == "too late":
                    size = min(size, max(1, len(chunk) // 8))
                again += [[one] for one in reversed(chunk)]
            elif answer.kind == "ended" and not was_fresh:
                again.append(chunk)
            else:
                yield chunk, answer


class Worker:
    """A process that scores a chunk at a time, and is replaced when it ends or takes too long."""

    def __init__(self, pickled: bytes, limits: Limits) -> None:
        self._pickled, self._limits = pickled, limits
        self.chunk: Chunk = []
        self.loaded = False
        self._start()

    def take(self, chunk: Chunk) -> None:
        """Work on a chunk, from when the reward is loaded."""
        self.chunk = chunk
        if chunk and self.loaded:
            self.deadline = time.monotonic() + self._limits.scoring + GRACE
            with suppress(OSError):  # a worker that died meanwhile is heard of next
                self.connection.send([sample for _, sample in chunk])

    def hear(self) -> Answer | None:
        """What became of the chunk; None where the worker has only loaded the reward.

        Raises:
            UserError: where it can't.
        """
        answer = self._answer()
        if answer.kind == "unusable":
            raise UserError(answer.cause)
        if not self.loaded and answer.kind == "too late":
            raise UserError(f"the reward did not load within {self._limits.loading:g} s")
        if answer.kind == "loaded":
            self.loaded, self._scorer = True, answer.scorer
            self.take(self.chunk)
            return None
        if not self.loaded:
            raise UserError(f"the reward can't be loaded: {answer.cause}")
        self.chunk, self.is_fresh = [], False
        if answer.kind not in GOES_ON:
            self.stop()
            self._start()
        if answer.kind == "too late":
            late = f"no reward within {self._limits.scoring:g} s (reward.time_limit)"
            return answer._replace(cause=late + answer.cause)
        return answer

    def stop(self) -> None:
        """End the process, and the scorer's with what it has started, whatever they do."""
        self.connection.close()  # then the keeper ends the scorer
        self.process.join(GRACE if self.process.is_alive() else None)
        if self._scorer and self.process.exitcode != 0:  # a scorer has killed or stopped it
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._scorer, signal.SIGKILL)
        self.process.kill()
        self.process.join()

    def _start(self) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=keep, args=(theirs, self._pickled, self._limits))
        self.process.start()
        theirs.close()
        self.loaded, self.is_fresh, self._scorer = False, True, 0
        self.deadline = time.monotonic() + self._limits.loading + GRACE

    def _answer(self) -> Answer:
        try:
            if not self.connection.poll():
                return Answer("too late")
            answer: Answer = self.connection.recv()
        except (EOFError, OSError):
            return Answer("ended", "the scorer has ended the process above its own")
        return answer


def _with_news(busy: Sequence[Worker]) -> list[Worker]:
    """Wait for the first that has something to say, has died, or has run out of time."""
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready = wait([worker.connection for worker in busy], patience)
    now = time.monotonic()
    return [worker for worker in busy if worker.connection in ready or worker.deadline <= now]
