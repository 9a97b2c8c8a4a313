"""A row as it stands in a file."""

from __future__ import annotations

import json
from typing import NamedTuple

from curriculum.formats.names import Row


class Line(NamedTuple):
    """Where a row stands and what it holds."""

    number: int  # line or row, from 1
    position: int  # finds it again: the byte it begins at, or the row from 0
    row: Row | None  # None: it can't be read
    cause: str = ""  # why
    content: bytes = b""  # where it is text
    length: int | None = None  # bytes, where it can be copied as it stands

    @property
    def text(self) -> str:
        """For people."""
        if self.content:
            return self.content.decode("utf-8", "replace").rstrip("\r\n")
        return json.dumps(self.row, ensure_ascii=False, default=str)
