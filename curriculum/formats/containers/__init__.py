"""What rows stand in: each kind of file gives them with a place that finds them again."""

from __future__ import annotations

from collections.abc import Iterator

from curriculum.core.records import Integers
from curriculum.formats.containers import archives, lines, saved, tables
from curriculum.formats.containers.base import Line
from curriculum.formats.files import reading
from curriculum.formats.names import Row


def read(url: str) -> Iterator[Line]:
    """Every row of a file, in order.

    Raises:
        UserError: where the file is not what its name says.
    """
    with reading(url):
        yield from _read(url)


def _read(url: str) -> Iterator[Line]:
    if url.endswith((".parquet", ".arrow")):
        return tables.arrow(url)
    if url.endswith(".csv"):
        return tables.csv(url)
    if url.endswith((".eval", ".zip")):
        return archives.read(url)
    if url.endswith(".pt"):
        return saved.read(url)
    return lines.read(url)


def read_at(url: str, positions: Integers) -> Iterator[Row]:
    """The rows at ascending places."""
    if lines.are_seekable(url):
        with reading(url):
            yield from lines.read_at(url, positions)
        return
    wanted = iter(positions.tolist())
    place = next(wanted, None)
    for line in read(url) if place is not None else ():
        while line.position == place:
            assert line.row is not None  # it was read before
            yield line.row
            place = next(wanted, None)
        if place is None:
            return
