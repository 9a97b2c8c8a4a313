"""JSON text, as problems keep their prompts and ground truths."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def from_json(text: str | None) -> Any:
    """What the text says; None says nothing.

    Most are strings without an escape, for which a parser is five times as dear.
    """
    if text is None:
        return None
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    return json.loads(text)


def strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The strings that JSON texts say; a text that says something else stays as it is."""
    return pa.chunked_array([_strings(chunk) for chunk in column.chunks], pa.string())


def are_strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which JSON texts say a string; null where there is none."""
    return pc.starts_with(column, '"')


def _strings(texts: pa.Array) -> pa.Array:
    quoted = are_strings(texts)
    found = pc.if_else(quoted, pc.utf8_slice_codeunits(texts, 1, -1), texts)
    escaped = pc.and_(quoted, pc.match_substring(texts, "\\"))
    if not pc.any(escaped).as_py():
        return found
    decoded = [json.loads(text) for text in texts.filter(escaped).to_pylist()]
    return pc.replace_with_mask(found, escaped.fill_null(False), pa.array(decoded, pa.string()))
