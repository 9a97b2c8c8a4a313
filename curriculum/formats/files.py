"""Finding and opening input files: local paths, globs, folders and anything fsspec opens."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import has_magic
from typing import IO, NamedTuple, cast

import fsspec

from curriculum.core.errors import UserError
from curriculum.core.secrets import found_in

PACKED = {".gz": "gzip", ".zst": "zstd"}  # as pyarrow calls them
LINES = (".jsonl", ".json")
IN_FOLDERS = (
    *(".parquet", *LINES, ".arrow", ".eval"),
    *(f"{name}{packed}" for name in LINES for packed in PACKED),
)
SUFFIXES = (*IN_FOLDERS, ".csv", ".zip", ".pt")  # of which other things lie in folders too
KINDS = {  # what a file is read as, for messages
    ".parquet": "parquet",
    ".arrow": "Arrow",
    ".csv": "CSV",
    ".zip": "zip",
    ".eval": "zip",
    ".pt": "values saved by torch",
}
SAVED = "state.json"  # in a folder that `datasets` has saved; its data is *.arrow


class File(NamedTuple):
    """An input file and a stamp that changes when the file does."""

    url: str
    size: int
    stamp: str


def find(path: str | Sequence[str], in_folders: tuple[str, ...] = IN_FOLDERS) -> list[File]:
    """Files of one or several paths, globs or folders, sorted within each.

    Args:
        in_folders: endings of the files that are taken of a folder.

    Raises:
        UserError: where nothing is there, or a folder holds no file of a known kind.
    """
    paths = [path] if isinstance(path, str) else list(path)
    if not all(paths) or not paths:
        raise UserError("data.path or generator.path names no file: it is empty")
    found = [file for each in paths for file in _find_one(each, in_folders)]
    urls = [file.url for file in found]
    twice = next((url for url in urls if urls.count(url) > 1), None) if len(paths) > 1 else None
    if twice is not None:
        raise UserError(f"{twice} is named twice (data.path or generator.path)")
    return found


def open_file(url: str) -> IO[bytes]:
    """Open for reading: seekable as it stands, unpacked where its name says that it is packed."""
    opened = cast(IO[bytes], fsspec.open(url, "rb").open())
    packing = next((how for ending, how in PACKED.items() if url.endswith(ending)), None)
    if packing is None:
        return opened
    import pyarrow as pa

    unpacked = pa.CompressedInputStream(pa.PythonFile(opened, mode="r"), packing)
    return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, unpacked)))


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Whatever a library finds wrong with a file becomes a UserError with its name."""
    kind = next((f" as {kind}" for ending, kind in KINDS.items() if url.endswith(ending)), "")
    try:
        yield
    except (UserError, AssertionError):
        raise
    except Exception as error:  # of a damaged file, parsers raise what they like
        raise UserError(f"{url} can't be read{kind}: {error or repr(error)}") from error


def is_packed(url: str) -> bool:
    """Whether places in the file are not those of its bytes."""
    return url.endswith(tuple(PACKED))


def _find_one(path: str, in_folders: tuple[str, ...]) -> list[File]:
    if "://" in path and (secret := found_in(path)):  # where rows came from is kept
        raise UserError(
            f"data.path or generator.path holds {secret}: put it where fsspec looks, into "
            "~/.config/fsspec/ or the variables of its protocol, or fetch the file first"
        )
    with reading(path):  # of a protocol without its package, a server that is not there
        return _found(path, in_folders)


def _found(path: str, in_folders: tuple[str, ...]) -> list[File]:
    filesystem, root = fsspec.core.url_to_fs(path)
    local = "file" in filesystem.protocol
    if filesystem.isdir(root):
        listed = filesystem.ls(root, detail=False)
        found = [each for each in listed if each.endswith(in_folders)]
        saved = next((each for each in listed if each.endswith(f"/{SAVED}")), None)
        if saved is not None:  # and nothing that the library has cached beside it
            state = json.loads(filesystem.cat_file(saved))
            own = {data["filename"] for data in state.get("_data_files", [])}
            found = [each for each in listed if each.rpartition("/")[2] in own]
        problem = f"the folder {path} has no {_either(in_folders)} file"
    else:
        there = filesystem.exists(root)  # a name may have brackets and be no pattern
        found = [root] if there else filesystem.glob(root) if has_magic(root) else []
        problem = f"there is no file {path}"
    strange = [each for each in found if not each.endswith(SUFFIXES)]
    if strange:
        found, problem = [], f"{strange[0]} is not {_either(SUFFIXES)}"
    if not found:
        raise UserError(f"{problem} (data.path or generator.path)")
    if local:
        _require_regular(found)
    return [
        File(
            each if local else filesystem.unstrip_protocol(each),
            int(filesystem.size(each)),
            str(filesystem.ukey(each)),
        )
        for each in sorted(found)
    ]


def _require_regular(paths: Sequence[str]) -> None:
    """Raise UserError for a folder, a pipe (reading it waits for ever) or a device (nor ends)."""
    for path in paths:
        if not stat.S_ISREG(os.stat(path).st_mode):
            what = "a folder" if os.path.isdir(path) else "a pipe or device"
            raise UserError(f"{path} is {what}, no file (data.path or generator.path)")
        if not os.access(path, os.R_OK):
            raise UserError(f"{path} may not be read: permission denied")


def _either(endings: Sequence[str]) -> str:
    return " or ".join(endings)
