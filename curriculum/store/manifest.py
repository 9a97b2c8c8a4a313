"""What an entry of the store is made of, and whether its files are still what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curriculum.core.atomic import whole
from curriculum.core.secrets import redacted

MANIFEST = "manifest.json"
VERSION = 2  # of the manifest


def write(folder: Path, made_of: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Say what was made, of what, and what each file is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = {
        "version": VERSION,
        "made_of": redacted(made_of),
        "counts": dict(counts),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {str(path.relative_to(folder)): _described(path) for path in files},
    }
    with whole(folder / MANIFEST) as partial:
        partial.write_text(json.dumps(content, indent=2))


def counts(folder: Path) -> dict[str, int]:
    """What the entry counted when it was made."""
    found: dict[str, int] = json.loads((folder / MANIFEST).read_text())["counts"]
    return found


def damage(folder: Path) -> dict[str, str]:
    """What is wrong with an entry: {file: cause}; empty where it is as it was made.

    A file of the size and time that it was written at is taken for what it was; of any other the
    content is read. So a folder that was copied is read once a run, and one that is not costs
    nothing.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text())
        files: dict[str, dict[str, Any]] = content["files"]
        if content["version"] != VERSION or not isinstance(content["counts"], dict):
            return {MANIFEST: f"of another version of this program ({content['version']!r})"}
    except (OSError, ValueError, LookupError, TypeError):
        return {MANIFEST: "can't be read"}
    causes = {name: _cause(folder / name, said) for name, said in files.items()}
    return {name: cause for name, cause in causes.items() if cause}


def _cause(path: Path, said: Mapping[str, Any]) -> str:
    try:
        stat = path.stat()
        if stat.st_size != said["size"]:
            return f"has {stat.st_size:,} bytes, not {said['size']:,}"
        if stat.st_mtime_ns != said["modified"] and _digest(path) != said["sha256"]:
            return "has another content than was written"
    except OSError as error:
        return str(error.strerror)
    return ""


def _described(path: Path) -> dict[str, Any]:
    stat = path.stat()
    return {"size": stat.st_size, "modified": stat.st_mtime_ns, "sha256": _digest(path)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
