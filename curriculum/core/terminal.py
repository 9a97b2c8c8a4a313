"""How things look in a terminal, and in a file or pipe instead of one."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

WIDTH = 110  # where there is no terminal to ask


class _Output(Console):
    """Standard output; the run goes on where its reader does not."""

    def on_broken_pipe(self) -> None:
        """See `Console`, which ends the process."""
        self.quiet = True
        # What is left in the buffer is written once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console() -> Console:
    """Standard output, plain and of a fixed width where it is no terminal."""
    # What is shown comes from data: [brackets] in it are text, not markup.
    out = _Output(highlight=False, markup=False)
    return out if out.is_terminal else _Output(highlight=False, markup=False, width=WIDTH)


@contextmanager
def ended_by_reader() -> Iterator[None]:
    """Let a reader that closes the pipe end the process, as `head` ends other programs."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGPIPE, before)


def plain_table(title: str | None, *columns: str, header: bool = True) -> Table:
    """A table without lines; the columns' names are its header."""
    return Table(
        *columns,
        title=title,
        box=None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        show_header=header,
    )


def shown(path: Path | str) -> str:
    """A path as short as it can be said from here."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class StandardError(logging.StreamHandler[TextIO]):
    """The log, on standard error as it is at the moment: above a live bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)
