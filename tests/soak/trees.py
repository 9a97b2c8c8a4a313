"""What two runs of one command have in common: all bytes but those that tell the time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

# A lock says who holds it; a log has a time in each line; comparison.md prints the .parquet;
# `said.txt` is the harness's.
NOT_COMPARED = re.compile(r"\.lock\.\d+$|\.log$|comparison\.md$|^said\.txt$")
PARTIAL = re.compile(r"\.partial|\.shared")
# Cleared away when it is old.
OF_A_LOCK = re.compile(r"\.lock\.[0-9a-f.]*[0-9a-f]{32}(\.partial)?$")
PAGES = {"report.html", "index.html"}
# When a page was made, how long each step took, whether the store had what it needed.
TOLD = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d UTC|\b[a-z_]+ \d+\.\d s\b|<td>(yes|no)</td>")
TIMES = {  # keys of JSON files, wherever they stand
    "result.json": {"finished", "seconds", "reused"},
    "manifest.json": {"finished", "modified"},
    "comparison.json": {"reused"},
}


def contents(folder: Path) -> dict[str, Any]:
    """{path below the folder: what is compared of the file}."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {str(path.relative_to(folder)): path for path in files}
    return {
        name: _compared(path, folder)
        for name, path in named.items()
        if not any(each.search(name) for each in (NOT_COMPARED, PARTIAL, OF_A_LOCK))
    }


def partial_files(folder: Path) -> list[str]:
    """What no run leaves that has ended well."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return sorted(name for name in names if PARTIAL.search(name) and not OF_A_LOCK.search(name))


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Files that are not in both, or not the same."""
    missing = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    strange = [f"{name}: not of this run" for name in sorted(found.keys() - expected.keys())]
    common = sorted(found.keys() & expected.keys())
    return missing + strange + [f"{n}: differs" for n in common if found[n] != expected[n]]


def _compared(path: Path, folder: Path) -> Any:
    if path.name == "comparison.parquet":
        return pq.read_table(path).drop_columns("reused")
    content = path.read_bytes().replace(str(folder).encode(), b"HERE")
    if path.name in TIMES:
        return _without(json.loads(content), TIMES[path.name])
    return TOLD.sub(b"", content) if path.name in PAGES else content


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, keys) for key, each in value.items() if key not in keys}
    if isinstance(value, list):
        return [_without(each, keys) for each in value]
    return value
