"""Finding and opening input files: local paths, globs, folders and anything fsspec opens."""

from __future__ import annotations

from collections.abc import Sequence
from glob import has_magic
from typing import IO, NamedTuple, cast

import fsspec

from curriculum.core.errors import UserError

SUFFIXES = (".parquet", ".jsonl", ".json")


class File(NamedTuple):
    """An input file and a stamp that changes when the file does."""

    url: str
    size: int
    stamp: str


def find(path: str | Sequence[str], in_folders: tuple[str, ...] = SUFFIXES) -> list[File]:
    """Files of one or several paths, globs or folders, sorted within each.

    Args:
        in_folders: endings of the files that are taken of a folder.

    Raises:
        UserError: where nothing is there, or a folder holds no parquet or JSONL.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return [file for each in paths for file in _find_one(each, in_folders)]


def open_file(url: str) -> IO[bytes]:
    """Open for reading; seekable, as parquet needs it."""
    return cast(IO[bytes], fsspec.open(url, "rb").open())


def _find_one(path: str, in_folders: tuple[str, ...]) -> list[File]:
    try:
        filesystem, root = fsspec.core.url_to_fs(path)
    except (ImportError, ValueError) as error:  # a protocol without its package, or none at all
        raise UserError(f"{path} can't be opened: {error}") from error
    if filesystem.isdir(root):
        found = [each for each in filesystem.ls(root, detail=False) if each.endswith(in_folders)]
        problem = f"the folder {path} has no {' or '.join(in_folders)} file"
    else:
        there = filesystem.exists(root)  # a name may have brackets and be no pattern
        found = [root] if there else filesystem.glob(root) if has_magic(root) else []
        problem = f"there is no file {path}"
    strange = [each for each in found if not each.endswith(SUFFIXES)]
    if strange:
        found, problem = [], f"{strange[0]} is not {' or '.join(SUFFIXES)}"
    if not found:
        raise UserError(f"{problem} (data.path or generator.path)")
    local = "file" in filesystem.protocol
    return [
        File(
            each if local else filesystem.unstrip_protocol(each),
            int(filesystem.size(each)),
            str(filesystem.ukey(each)),
        )
        for each in sorted(found)
    ]
