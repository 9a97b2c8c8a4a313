"""The one way by which a file gets its final name: whole, or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial"  # what a file is called, at its end, until it is whole


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file that is to be at `path`: beside it, flushed to the disk, then renamed.

    What raises leaves nothing behind, and the file that was there before as it was.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
