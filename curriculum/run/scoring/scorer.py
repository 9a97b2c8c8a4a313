"""The process in which a reward scores, put right again after whatever a scorer does to it."""

from __future__ import annotations

import errno
import math
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO, TextIOWrapper
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from curriculum.core.errors import UserError, not_importable
from curriculum.core.memory import GB
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.run.scoring.answer import Answer

MOST_SAID = 500  # characters of an exception's message
STREAMS = (0, 1, 2)


def work(keeper: Connection, output: int, pickled: bytes, memory_gb: float) -> NoReturn:
    """Score what comes until the keeper is gone.

    Args:
        output: where all that is printed goes.
    """
    os.setsid()  # what the scorer starts ends with it
    pid, ground = os.getpid(), _Ground(output)
    ground.restore()
    _limit_memory(memory_gb)
    with suppress(EOFError, OSError):
        answer, reward = _load(pickled, memory_gb)
        while reward is not None:
            _say(keeper, pid, answer)
            samples = keeper.recv()
            ground.restore()
            answer = _score(reward, samples, memory_gb)
        _say(keeper, pid, answer)
    os._exit(0)


def _say(keeper: Connection, pid: int, answer: Answer) -> None:
    if os.getpid() != pid:  # a copy that the scorer forked, and that came back out of it
        os._exit(0)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # of a scorer's own making, or closed
            stream.flush()
    keeper.send(answer)


class _Ground:
    """What a scorer may change for all that come after it."""

    def __init__(self, output: int) -> None:
        self._streams = (os.open(os.devnull, os.O_RDONLY), output, output)
        self._folder = os.open(".", os.O_RDONLY)
        self._mask = os.umask(0)
        os.umask(self._mask)

    def restore(self) -> None:
        """Folder, mask, standard streams and timers, as they were."""
        os.fchdir(self._folder)
        os.umask(self._mask)
        for stream, own in zip(STREAMS, self._streams, strict=True):
            os.dup2(own, stream)
        sys.stdout, sys.stderr = map(_printing_to, STREAMS[1:])
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _printing_to(stream: int) -> TextIOWrapper:
    """Lines that are there also where the process dies right after them."""
    file = FileIO(stream, "w", closefd=False)
    return TextIOWrapper(file, "utf-8", "backslashreplace", line_buffering=True)


def _limit_memory(gigabytes: float) -> None:
    """Of data, which unlike addresses nobody reserves without use, CUDA neither."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = int(gigabytes * GB)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _load(pickled: bytes, memory_gb: float) -> tuple[Answer, Reward | None]:
    """The reward, or what is wrong with the configuration and no sample's failure."""
    reward: Reward | None = None
    try:
        reward = pickle.loads(pickled)
        assert reward is not None
        reward.score([])
    except UserError as error:
        return Answer("unusable", str(error)), None
    except ImportError as error:
        return Answer("unusable", str(not_importable("the reward", error))), None
    except BaseException as error:
        if _ends_all(error) or reward is None:
            cause = _told(error, memory_gb)
            return Answer("unusable", f"the reward can't be loaded: {cause}"), None
        # It goes wrong again, and is told, at the first sample; or nothing is no sample to it.
    return Answer("loaded"), reward


def _ends_all(error: BaseException) -> bool:
    """Whether what loading a reward has raised is about no samples, of which it was given none."""
    is_of_samples = isinstance(error, Exception) and not isinstance(error, SyntaxError)
    return not is_of_samples or _is_of_memory(error)


def _score(reward: Reward, samples: Sequence[Sample], memory_gb: float) -> Answer:
    try:
        rewards = [float(each) for each in reward.score(samples)]
        if len(rewards) != len(samples):
            raise ValueError(f"{len(rewards)} rewards for {len(samples)} samples")
        if not all(map(math.isfinite, rewards)):
            raise ValueError("the reward is not a finite number")
    # Whatever a scorer raises belongs to its sample, but for what is missing on this machine.
    except BaseException as error:
        if isinstance(error, ImportError) and _of_a_file(error):
            return Answer("unusable", str(not_importable("the reward", error)))
        # What is full stays so for others: this process is not used again.
        return Answer("ended" if _is_of_memory(error) else "raised", _told(error, memory_gb))
    return Answer("scored", rewards=rewards)


def _told(error: BaseException, memory_gb: float) -> str:
    """Kind and message of an exception, whatever that is."""
    name = type(error).__name__
    if _is_of_memory(error):
        return f"{name}: it wants more memory than reward.memory_gb={memory_gb:.3g}"
    try:
        said = str(error)[:MOST_SAID]
    except BaseException:
        said = "(its message raises an error itself)"
    return f"{name}: {said}".removesuffix(": ").encode(errors="backslashreplace").decode()


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    torch_s = type(error) is RuntimeError and "can't allocate memory" in str(error)
    return torch_s or isinstance(error, MemoryError)


def _of_a_file(error: ImportError) -> bool:
    """Whether code of a file raised it, rather than code in a response that a scorer executes."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if not each.filename.startswith("<frozen importlib")]
    return all(Path(each.filename).is_file() for each in own)
