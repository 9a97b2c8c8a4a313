"""Members of zip files that hold rows: logs of inspect (.eval) have one for each sample."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from curriculum.formats.containers.base import Line
from curriculum.formats.containers.lines import require_text
from curriculum.formats.files import LINES, open_file

ZSTANDARD = 93  # which zipfile reads from Python 3.14 on
HEADER = 30  # bytes of a member's own header, before its name
ELSEWHERE = (".parquet", ".csv", ".arrow", ".gz", ".zst")  # rows that are read unpacked alone
SAMPLES = "samples/"  # in inspect's logs


def read(url: str) -> Iterator[Line]:
    """Rows of all members that are JSON or JSONL, of `.eval` those of its samples."""
    log = url.endswith(".eval")
    with open_file(url) as stream:
        archive = zipfile.ZipFile(stream)
        position = 0
        for member in archive.infolist():
            if member.filename.endswith(ELSEWHERE) and not log:
                raise ValueError(f"its {member.filename} is neither JSON nor JSONL: unpack it")
            if not member.filename.endswith(LINES):
                continue
            if log and not member.filename.startswith(SAMPLES):
                continue
            for row in _rows(member.filename, _content(stream, archive, member)):
                yield Line(position + 1, position, row)
                position += 1


def _rows(name: str, content: bytes) -> list[dict[str, object]]:
    if name.endswith(".jsonl"):
        rows = [json.loads(line) for line in content.splitlines() if line.strip()]
    else:
        whole = json.loads(content)
        rows = whole if isinstance(whole, list) else [whole]
    require_text(rows, content)
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{name} holds something else than objects")
    return rows


def _content(stream: IO[bytes], archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type != ZSTANDARD:
        return archive.read(member)
    stream.seek(member.header_offset)
    name, extra = struct.unpack("<HH", stream.read(HEADER)[26:30])
    stream.seek(name + extra, 1)
    packed = stream.read(member.compress_size)
    if not packed:
        return b""
    unpacked: bytes = pa.decompress(packed, member.file_size, "zstd", asbytes=True)
    return unpacked
