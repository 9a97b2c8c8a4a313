"""JSONL, and one JSON array of objects; as it stands or packed (.gz, .zst)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from curriculum.core.records import Integers
from curriculum.formats.containers.base import Line
from curriculum.formats.files import is_packed, open_file
from curriculum.formats.names import Row

ARRAY = b"["


def read(url: str) -> Iterator[Line]:
    """Every line but the blank ones, with its true number and place, or the items of an array."""
    with open_file(url) as stream:
        items = _items(stream)
    if items is not None:
        yield from (_item(i, item) for i, item in enumerate(items))
        return
    with open_file(url) as stream:
        yield from _lines(stream, copied=not is_packed(url))


def are_seekable(url: str) -> bool:
    """Whether places are those of the bytes that a line begins at."""
    if is_packed(url) or not url.endswith((".jsonl", ".json")):
        return False
    with open_file(url) as stream:
        return _items(stream) is None


def read_at(url: str, positions: Integers) -> Iterator[Row]:
    """The rows whose lines begin there."""
    with open_file(url) as stream:
        for position in positions.tolist():
            stream.seek(position)
            yield json.loads(stream.readline())


def _lines(stream: IO[bytes], copied: bool) -> Iterator[Line]:
    position = 0
    for number, content in enumerate(stream, start=1):
        if content.strip():
            place, length = (position, len(content)) if copied else (number - 1, None)
            yield _parsed(number, place, content, length)
        position += len(content)


def _parsed(number: int, position: int, content: bytes, length: int | None) -> Line:
    try:
        row = json.loads(content)
        require_text(row, content)
    except (ValueError, RecursionError) as error:
        return Line(number, position, None, f"not JSON: {error}", content, length)
    return _line(number, position, row, content, length)


def require_text(row: Any, content: bytes) -> None:
    """Raise ValueError where JSON holds half a surrogate pair, which is no text."""
    if b"\\ud" in content or b"\\uD" in content:
        json.dumps(row, ensure_ascii=False).encode()


def _line(
    number: int, position: int, row: Any, content: bytes = b"", length: int | None = None
) -> Line:
    if isinstance(row, dict):
        return Line(number, position, row, "", content, length)
    return Line(number, position, None, "not a JSON object", content, length)


def _item(position: int, item: Any) -> Line:
    try:
        json.dumps(item, ensure_ascii=False).encode()  # as `require_text`
    except (ValueError, RecursionError) as error:
        return Line(position + 1, position, None, f"not text: {error}", ascii(item).encode())
    return _line(position + 1, position, item)


def _items(stream: IO[bytes]) -> list[Any] | None:
    """Those of the array that the whole file is, None where it is lines."""
    begin = stream.read(1)
    while begin.isspace():
        begin = stream.read(1)
    if begin != ARRAY:
        return None
    try:
        items = json.loads(begin + stream.read())
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None
