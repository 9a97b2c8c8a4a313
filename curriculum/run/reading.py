"""Data read once: problems and rollout indices are entries of the store."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum import formats
from curriculum.core.errors import UserError
from curriculum.core.names import PROBLEMS
from curriculum.core.records import Problems
from curriculum.data.base import Data
from curriculum.formats.forms import forms
from curriculum.formats.rows import Origins, Rejected
from curriculum.run.context import Context
from curriculum.store.entries import Entry, Store, digest_of_source, digest_of_sources

log = logging.getLogger(__name__)

SCHEMA = 3  # of the entry; another one makes all of them anew
ROOMS = ("", "containers", "forms")  # of the code that reads
INDEX, REJECTED, TOOK = "index.parquet", "rejected.jsonl", "took.json"
ORIGINS, NUMBERS = "origins.json", "numbers.npy"


class Stored(NamedTuple):
    """What `Data.load` gives, from the store."""

    problems: Problems
    rollouts: pa.Table | None
    rejected: Path | None  # JSONL of the rows that could not be used
    took: list[str]  # what was read of each file, for people
    origins: Origins | None  # of the rollouts
    entry: Entry


def load(store: Store, name: str, data: Data, max_rejected: int) -> Stored:
    """Problems and rollout index of a data option.

    Raises:
        UserError: where more rows than `max_rejected` could not be used.
    """
    settings = {key: value for key, value in asdict(cast(Any, data)).items() if key != "path"}
    made_of = {
        "reader": type(data).__qualname__,
        "schema": SCHEMA,
        "source": [
            digest_of_source(type(data), *map(type, forms())),
            *(digest_of_sources(Path(formats.__path__[0]) / room) for room in ROOMS),
        ],
        "settings": settings,
        "files": data.files(),
    }
    entry = store.entry(name, made_of, lambda folder: _write(folder, data))
    rejected = entry.folder / REJECTED
    if rejected.exists():
        _require_few(rejected, max_rejected)
    index = entry.folder / INDEX
    return Stored(
        Problems(pq.read_table(entry.folder / PROBLEMS)),
        pq.read_table(index).combine_chunks() if index.exists() else None,
        rejected if rejected.exists() else None,
        json.loads((entry.folder / TOOK).read_text(encoding="utf-8")),
        _origins(entry.folder) if index.exists() else None,
        entry,
    )


def _origins(folder: Path) -> Origins:
    plain = json.loads((folder / ORIGINS).read_text(encoding="utf-8"))
    return Origins(**plain, numbers=np.load(folder / NUMBERS, mmap_mode="r", allow_pickle=False))


def took(step: str, said: Sequence[str], context: Context) -> None:
    """Say and note what was read of each file."""
    for line in said:
        log.info("%s: %s", step, line)
    context.ledger.note(**{f"{step}_took": list(said)})


def _write(folder: Path, data: Data) -> dict[str, int]:
    problems, rollouts, rejected, rows, took, origins = data.load()
    (folder / TOOK).write_text(json.dumps(list(took), ensure_ascii=False), encoding="utf-8")
    pq.write_table(problems.table, folder / PROBLEMS)
    if rollouts is not None:
        pq.write_table(rollouts, folder / INDEX)
    if origins is not None:
        plain = {key: list(getattr(origins, key)) for key in ("files", "rollouts", "numbered")}
        (folder / ORIGINS).write_text(json.dumps(plain), encoding="utf-8")
        np.save(folder / NUMBERS, origins.numbers)
    if rejected:
        lines = [json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rejected]
        (folder / REJECTED).write_text("".join(lines))
    used = 0 if rollouts is None else int(np.sum(rollouts["problem"].to_numpy() >= 0))
    return {
        "problems": len(problems),
        "rollouts": used,
        "rows": rows.read,
        "used_rows": rows.used,
        "rejected_rows": rows.rejected,
        "repeated_rows": rows.repeated,
        "rows_of_other_steps": rows.of_other_steps,
        "rows_of_failed_calls": rows.failed_calls,
        "failed_calls": rows.failed_rollouts,
    }


def _require_few(path: Path, max_rejected: int) -> None:
    rejected = [Rejected(**json.loads(line)) for line in path.read_bytes().splitlines()]
    if len(rejected) > max_rejected:
        first = "".join(f"\n  {row.file}:{row.row}: {row.cause}" for row in rejected[:3])
        raise UserError(
            f"{len(rejected)} rows can't be used, more than data.max_rejected={max_rejected}. "
            f"The first:{first}\nAll of them: {path}"
        )
