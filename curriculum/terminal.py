"""How things look in a terminal, and in a file or pipe instead of one."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

WIDTH = 110  # where there is no terminal to ask


def console() -> Console:
    """Standard output, plain and of a fixed width where it is no terminal."""
    # What is shown comes from data: [brackets] in it are text, not markup.
    out = Console(highlight=False, markup=False)
    return out if out.is_terminal else Console(highlight=False, markup=False, width=WIDTH)


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


def generation_bar() -> Progress:
    """A bar with rollouts and tokens a second; nothing where there is no terminal."""
    err = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rates(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


class _Rates(ProgressColumn):
    """What a generator makes in a second."""

    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0
        tokens = task.fields["tokens"] / seconds if seconds else 0
        return Text(f"{task.speed or 0:,.0f} rollouts/s {tokens:,.0f} tokens/s")


def progress_bar() -> Progress:
    """A bar with count and remaining time; nothing where there is no terminal."""
    err = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    )
