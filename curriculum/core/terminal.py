"""How things look in a terminal, and in a file or pipe instead of one."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from curriculum.core.text import visible
from curriculum.core.whole_table import WholeTable

log = logging.getLogger(__name__)

WIDTH = 110  # where there is no terminal to ask, and no COLUMNS in the environment


class _Output(Console):
    """Standard output; the run goes on where its reader does not."""

    def print(self, *objects: Any, **how: Any) -> None:
        """See `Console`; texts come from data too."""
        shown = (visible(each) if isinstance(each, str) else each for each in objects)
        super().print(*shown, **how)

    def on_broken_pipe(self) -> None:
        """See `Console`, which ends the process."""
        self.quiet = True
        # What is left in the buffer is written once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console() -> Console:
    """Standard output, plain where it is no terminal."""
    # What is shown comes from data: [brackets] in it are text, not markup.
    out = _Output(highlight=False, markup=False)
    told = out.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return out if told else _Output(highlight=False, markup=False, width=WIDTH)


@contextmanager
def ended_by_reader() -> Iterator[None]:
    """Let a reader that closes the pipe end the process, as `head` ends other programs."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGPIPE, before)


def plain_table(title: str | None, *columns: str, header: bool = True) -> WholeTable:
    """A table without lines; the columns' names are its header."""
    return WholeTable(
        *columns, title=title, title_style="bold", header_style="dim", show_header=header
    )


@contextmanager
def printed_in_log() -> Iterator[None]:
    """What is printed is a record of the log: of a run that shares the terminal with others."""
    with redirect_stdout(io.StringIO()) as text:
        yield
    if said := text.getvalue().strip("\n"):
        log.info("\n%s", said)


def shown(path: Path | str) -> str:
    """A path as short as it can be said from here."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class StandardError(logging.StreamHandler[TextIO]):
    """The log, on standard error as it is at the moment: above a live bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)
