"""A table that cuts no name, however narrow the terminal is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement, measure_renderables
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from curriculum.core.text import visible

PADDING = 2  # characters around a column
INDENT = 3
SHORT = 20  # characters of a name that stays in one line


class WholeTable(Table):
    """A table of rich's, with other ways to be narrow: its own cut words and put dots for the rest.

    Columns give way down to their longest word, those with most to spare first. Where that is too
    wide, the bars go; then names, the first column, go on in a second line; where it still is, each
    row is a paragraph: its name, and its cells below.
    """

    _bars = False

    def add_row(self, *cells: RenderableType | None, **how: Any) -> None:
        """See rich's; texts come from data too."""
        super().add_row(
            *(visible(each) if isinstance(each, str) else each for each in cells), **how
        )

    def add_bars(self) -> None:
        """Add a last column that may go."""
        self.add_column("")
        self._bars = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's protocol."""
        if self.title:  # rich's is no wider than the table
            yield Text(str(self.title), self.title_style or "")
        without_bars = self.columns[:-1] if self._bars else self.columns
        for columns, folded in ((self.columns, False), (without_bars, False), (without_bars, True)):
            spans = [measure_renderables(console, options, _cells(each)) for each in columns]
            spans[0] = _half(spans[0]) if folded else spans[0]
            room = options.max_width - PADDING * len(columns)
            if sum(span.minimum for span in spans) <= room:
                yield self._fitted(columns, _widths(spans, room))
                return
        yield from self._paragraphs(without_bars, options.max_width)

    def _fitted(self, columns: Sequence[Column], widths: Sequence[int]) -> Table:
        table = Table(box=None, header_style=self.header_style, show_header=self.show_header)
        fitting = zip(columns, widths, strict=True)
        table.columns = [replace(each, width=width, overflow="fold") for each, width in fitting]
        table.rows = self.rows
        return table

    def _paragraphs(self, columns: Sequence[Column], width: int) -> Iterator[RenderableType]:
        names, *others = columns
        of_others = zip(*(each.cells for each in others), strict=True)
        for name, cells in zip(names.cells, of_others, strict=True):
            yield name
            told = [
                f"{column.header} {cell}".strip()
                for column, cell in zip(others, cells, strict=True)
                if str(cell)
            ]
            yield Padding(Text("\n".join(_lines(told, width - INDENT))), (0, 0, 0, INDENT))


def _cells(column: Column) -> list[RenderableType]:
    return [column.header, *column.cells]


def _half(span: Measurement) -> Measurement:
    """Of names in two lines, unless they are short."""
    return Measurement(min(span.minimum, max(SHORT, -(-span.minimum // 2))), span.maximum)


def _widths(spans: Sequence[Measurement], room: int) -> list[int]:
    """Of columns that are to take no more room together; there is enough for all minimums."""
    widths = [span.maximum for span in spans]
    while sum(widths) > room:
        spare = [width - span.minimum for width, span in zip(widths, spans, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def _lines(pieces: Sequence[str], width: int) -> list[str]:
    """Pieces side by side, as many in a line as fit."""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1]) + INDENT + len(piece) <= width:
            lines[-1] += " " * INDENT + piece
        else:
            lines.append(piece)
    return lines
