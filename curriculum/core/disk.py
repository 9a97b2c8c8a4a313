"""A disk that takes no more: what the person at the keyboard is told of it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curriculum.core.errors import UserError

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "a file may not be that large here (ulimit -f)",
    errno.EROFS: "the disk takes no writes",
    errno.EACCES: "permission is missing",
    errno.EPERM: "permission is missing",
}
UNSAID = (errno.EACCES, errno.EPERM)  # whether reading failed, or writing
NOTHING = 1 << 16  # bytes left at which a write without a reason has failed for want of space


def explained(error: BaseException, folders: Iterable[Path]) -> UserError | None:
    """What is said where a file could not be written; None where it is another error.

    Args:
        folders: those that the run writes in, where the error does not say which file it was.
    """
    if not isinstance(error, OSError):
        return None
    existing = [_existing(folder) for folder in folders]
    where = min(existing, key=_bytes_left)
    number = error.errno
    if number is None and _bytes_left(where) < NOTHING:  # as numpy and Arrow have it
        number = errno.ENOSPC
    if number not in REASONS:
        return None
    if isinstance(error.filename, str | os.PathLike):
        where = Path(error.filename)
    failed = "read or written" if number in UNSAID else "written"
    left = _bytes_left(_existing(where)) / 1e6
    return UserError(
        f"{REASONS[number]}: {where} could not be {failed}, {left:,.1f} MB are left there. What "
        "was finished is kept in store_dir: with room, or another output_dir or store_dir, the "
        "same command goes on from it"
    )


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Raise UserError where a file could not be written, whoever wrote it."""
    try:
        yield
    except OSError as error:
        raise explained(error, [Path.cwd()]) or error from error


def _existing(path: Path) -> Path:
    """The path, or the first folder above it that is there."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _bytes_left(folder: Path) -> int:
    return shutil.disk_usage(folder).free
