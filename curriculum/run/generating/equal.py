"""Whether samples differ at all: a server that ignores seed and temperature makes one of each."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


def count_equal(parts: Iterable[pa.Table]) -> tuple[int, int]:
    """Problems with several samples, and those of them whose samples are the same to the letter.

    Args:
        parts: columns `problem` and `response`, null where there is none.
    """
    first: dict[int, int] = {}  # hash of a problem's first sample
    several: set[int] = set()
    differ: set[int] = set()
    for part in parts:
        columns = (part["problem"].to_pylist(), part["response"].to_pylist())
        for problem, response in zip(*columns, strict=True):
            if response is None:
                continue
            if problem in first:
                several.add(problem)
            if first.setdefault(problem, hash(response)) != hash(response):
                differ.add(problem)
    return len(several), len(several - differ)
