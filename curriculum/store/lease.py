"""A lock in a shared folder, without a lock daemon: whoever holds it keeps showing that it lives.

Plain NFS is enough: names are created by `link`, which is atomic there, and what a file says is
read by opening it, which is when NFS looks for changes. A file gets its name when all of it is
there, so one that is empty or torn is a disk's fault, and nobody's. (filelock's lease, 4.3, makes
the name first: where a machine dies before the holder is written, it is locked for ever.)
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum.core.atomic import whole

log = logging.getLogger(__name__)

BEAT = 5.0  # seconds between signs of life
PATIENCE = 30.0  # seconds without one, by the clock of whoever waits, until it is taken over
TORN = 1.0  # seconds after which a file that says nothing is nobody's
LEFT = 3600.0  # seconds after which a half-written one is that of a holder that was killed
LOOK = 0.05  # seconds between looks at first, doubled up to ...
LONGEST_LOOK = 1.0


class Busy(Exception):
    """Somebody else holds it, and lives; the message says who."""


@dataclass(frozen=True)
class Lease:
    """A lock that this process holds, or held until another took it over."""

    path: Path  # what the lock is called
    file: Path  # with the number of this holder

    def is_mine(self) -> bool:
        """Whether nobody has taken it over."""
        return _last(self.path)[0] == self.file


@contextmanager
def held(
    path: Path,
    waiting: Callable[[str], None] = lambda holder: None,
    wait: bool = True,
    beat: float = BEAT,
    patience: float = PATIENCE,
) -> Iterator[Lease]:
    """Hold the lock called `path`: one process at a time, on whatever machine.

    Every holder has a file of its own, `path` with a number behind it; the highest number counts.
    A file that says it is released, belongs to a process of this machine that is gone, or has not
    changed for `patience`, is followed by the next number. A holder that was taken over without
    being dead goes on: it must write where no other does, and look whether the lock is still its
    own before it puts anything in place, by renaming.

    Args:
        waiting: called once with who holds it, where there is a wait.
        wait: whether to wait for a holder that shows signs of life.
        beat: seconds between signs of life.
        patience: seconds without one until it is taken over.

    Raises:
        Busy: `wait` is false and the holder lives.
    """
    mine = _acquire(path, waiting, wait, patience)
    stop = threading.Event()
    alive = threading.Thread(target=_keep_alive, args=(mine, stop, beat), daemon=True)
    alive.start()
    try:
        yield Lease(path, mine)
    finally:
        stop.set()
        alive.join()
        try:
            if mine.exists():
                _write(mine, {"released": True})
        except OSError:  # a full disk takes no word, but gives a file back
            mine.unlink(missing_ok=True)


def sign_of_life(path: Path, patience: float = PATIENCE) -> str | None:
    """Where the lock's holder is, as far as one look can tell; None where there is none alive."""
    last, text = _last(path)
    if last is None or not _said(text) or _is_free(text):
        return None
    where = str(_said(text).get("where", ""))
    recent = time.time() - last.stat().st_mtime < patience  # by two clocks, maybe
    return where if recent or _is_alive_here(text) else None


def holder(path: Path) -> tuple[str, int, str] | None:
    """The process that last held the lock, dead or alive, the same for each of its locks.

    None where it was released, or nobody ever held it, as far as one look can tell.
    """
    said = _said(_last(path)[1])
    return None if not said or "pid" not in said else (said["where"], said["pid"], said["started"])


def _acquire(path: Path, waiting: Callable[[str], None], wait: bool, patience: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    seen: tuple[Path | None, str] | None = None
    since, pause, said = time.monotonic(), LOOK, False
    while True:
        last, text = _last(path)
        beaten = seen is not None and (last, text) != seen
        if (last, text) != seen:
            seen, since = (last, text), time.monotonic()
        silent = time.monotonic() - since
        if last is None or _is_free(text) or silent > (patience if _said(text) else TORN):
            mine = _next(path, last)
            if mine is not None:
                return mine
        else:
            holder = _said(text).get("where", "another run")
            if not wait and (beaten or _is_alive_here(text)):
                raise Busy(holder)
            if not said:
                waiting(holder)
                said = True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_LOOK)


def _last(path: Path) -> tuple[Path | None, str]:
    """The file that counts, and what it says."""
    files = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=_number)
    if not files:
        return None, ""
    try:
        return files[-1], files[-1].read_text()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ESTALE):
            raise
        return _last(path)  # followed and cleared away meanwhile


def _number(file: Path) -> int:
    return int(file.suffix[1:]) if file.suffix[1:].isdigit() else -1


def _is_free(text: str) -> bool:
    holder = _said(text)
    if not holder or holder.get("released"):
        return bool(holder)
    return holder["where"] == _here() and not _is_alive_here(text)


def _is_alive_here(text: str) -> bool:
    holder = _said(text)
    here = holder.get("where") == _here()
    return here and _started(holder["pid"]) == holder["started"]


def _said(text: str) -> dict[str, Any]:
    """What a file says; nothing where it is torn."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and ("where" in said or "released" in said) else {}


def _next(path: Path, last: Path | None) -> Path | None:
    """The file after the last one, made for this process; None where another was faster."""
    mine = path.with_name(f"{path.name}.{0 if last is None else _number(last) + 1}")
    own = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    _write(own, _holder(0))
    try:
        os.link(own, mine)
    except FileExistsError:
        # NFS asks again where an answer is lost, and is told that its own link exists.
        if own.stat().st_nlink == 1:
            return None
    finally:
        own.unlink()
    highest, _ = _last(path)
    if highest != mine:  # an old number, cleared away and so free to take
        mine.unlink(missing_ok=True)
        return None
    for file in path.parent.glob(f"{path.name}.[0-9]*"):
        if 0 <= _number(file) < _number(mine) - 1:
            file.unlink(missing_ok=True)
    for file in path.parent.glob(f".{path.name}.*"):
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > LEFT:
                file.unlink()
    return mine


def _keep_alive(mine: Path, stop: threading.Event, beat: float) -> None:
    beats = 0
    while not stop.wait(beat):
        beats += 1
        with suppress(OSError):  # a server that is away comes back, or it is taken over
            if mine.exists():  # else a successor has cleared it away
                _write(mine, _holder(beats))


def _write(file: Path, said: dict[str, Any]) -> None:
    with whole(file) as partial:
        partial.write_text(json.dumps(said))


def _holder(beats: int) -> dict[str, Any]:
    pid = os.getpid()
    return {"where": _here(), "pid": pid, "started": _started(pid), "beats": beats}


def _here() -> str:
    """This machine since its last start, and the processes that can be seen from here."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _started(pid: int) -> str | None:
    """When a process of this machine was started, in the machine's own units; None: it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] == "Z" else after_name[19]
