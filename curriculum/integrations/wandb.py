"""Doors of W&B's that it does not promise to keep; a test of each fails when one moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SYNC = ("beta", "sync", "--live", "--yes")  # arguments of `wandb`: send a folder while it grows
FLUSH = "x_transaction_log_flush_interval"  # a setting: seconds until a row is on the disk
DATA = "WANDB_DATA_DIR"  # environment: where files of tables lie until they are sent


def flush_every(settings: Any, seconds: float) -> None:
    """Have rows on the disk so soon: what a killed run loses, and what the server waits for.

    Without that setting, W&B writes when it likes to.
    """
    if hasattr(settings, FLUSH):
        setattr(settings, FLUSH, seconds)


@contextmanager
def files_in(folder: Path) -> Iterator[None]:
    """Keep the files of tables in a folder; W&B asks the environment alone where to."""
    before = os.environ.get(DATA)
    os.environ[DATA] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[DATA]
        else:
            os.environ[DATA] = before
