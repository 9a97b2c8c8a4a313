"""The one way by which a file gets its final name: whole, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial"  # what a file is called, at its end, until it is whole
HALF_WRITTEN = re.compile(rf"\.[^.].*\.[0-9a-f]{{32}}{re.escape(PARTIAL)}")  # and of no lock


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file that is to be at `path`: beside it, flushed to the disk, then renamed.

    What raises leaves nothing behind, and the file that was there before as it was.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        yield partial
        settle(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Where to write a folder that is to be at `path`, in place of what was there before."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def settle(written: Path, path: Path) -> Path:
    """Give a file that was written elsewhere on the same disk its name, when the disk has it."""
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    return written.replace(path)


def clear(folder: Path) -> None:
    """Remove what killed runs had half written, from a folder where no other is at work."""
    for path in folder.glob(f".*{PARTIAL}"):
        if HALF_WRITTEN.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
