"""Prompts as they are known before training, what comes back of them, what a sampler says."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.names import PROMPTS
from curriculum.core.posterior import JEFFREYS
from curriculum.core.records import Floats, Integers, reaches

Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

# Columns of prompts.parquet, and those that hold the names in its metadata.
COLUMNS = ("problem_id", "index", "difficulty", "n", "c", "trained", "extra_info", "length")
UNKNOWN_LENGTH = -1
NAMES = {"sources": "data_source", "buckets": "bucket"}


@dataclass(frozen=True)
class Prompts:
    """What is known of P prompts before training, all of it measured already."""

    ids: Objects  # (P,) str, the problem_id
    index: Integers  # (P,) row in the data; extra_info.index of stage files
    source: Integers  # (P,) index into `sources`
    sources: list[str]  # some may have no prompt
    bucket: Integers  # (P,) index into `buckets`
    buckets: list[str]  # easy to hard
    difficulty: Floats  # (P,) by the run's metric, higher is harder; NaN: undefined
    n: Floats  # (P,) rollouts measured; 0: never seen
    c: Floats  # (P,) passes among them
    trained: Mask  # (P,) on the training side: not held out
    extra_info: Objects  # (P,) JSON text, or None
    length: Integers  # (P,) characters of the prompt; -1: not known

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """All that a run has measured, also what it holds out.

        Args:
            run: its folder, or its prompts.parquet.

        Raises:
            UserError: where there is no such file.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = Path(run) / PROMPTS if Path(run).is_dir() else Path(run)
        try:
            with pq.ParquetFile(path) as file:
                table = file.read()
            names = {key: json.loads(table.schema.metadata[key.encode()]) for key in NAMES}
            # Arrow's own way to numpy, and `read_table`, import pandas.
            values = {name: table[name].to_pylist() for name in (*COLUMNS, *NAMES.values())}
        except (OSError, pa.ArrowException, KeyError, TypeError) as error:
            raise UserError(f"{path} is no {PROMPTS} of a run with buckets: {error}") from error
        numbers = {key: {name: i for i, name in enumerate(names[key])} for key in NAMES}
        return cls(
            ids=np.array(values["problem_id"], object),
            index=np.array(values["index"], np.int64),
            source=np.array([numbers["sources"][n] for n in values["data_source"]], np.int64),
            sources=names["sources"],
            bucket=np.array([numbers["buckets"][n] for n in values["bucket"]], np.int64),
            buckets=names["buckets"],
            difficulty=np.array(values["difficulty"], np.float64),
            n=np.array(values["n"], np.float64),
            c=np.array(values["c"], np.float64),
            trained=np.array(values["trained"], np.bool_),
            extra_info=np.array(values["extra_info"], object),
            length=np.array(values["length"], np.int64),
        )

    def save(self, path: Path) -> None:
        """Write a parquet file, a row a prompt, that `load` reads to the same numbers.

        Its schema's metadata has the names of `sources`, and of `buckets`, easy to hard, as JSON.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "problem_id": pa.array(self.ids, pa.string()),
            "index": self.index,
            "data_source": pa.array(self.sources, pa.string()).take(pa.array(self.source)),
            "bucket": pa.array(self.buckets, pa.string()).take(pa.array(self.bucket)),
            "difficulty": pa.array(self.difficulty, mask=np.isnan(self.difficulty)),
            "n": self.n,
            "c": self.c,
            "trained": self.trained,
            "extra_info": pa.array(self.extra_info, pa.string()),
            "length": self.length,
        }
        names = {"sources": json.dumps(self.sources), "buckets": json.dumps(self.buckets)}
        with whole(path) as partial:
            pq.write_table(pa.table(columns).replace_schema_metadata(names), partial)

    @property
    def pass_rate(self) -> Floats:
        """(P,) mean under Jeffreys' prior: 0.5 where nothing was measured."""
        return np.asarray((self.c + JEFFREYS[0]) / (self.n + sum(JEFFREYS)))

    @property
    def groupings(self) -> tuple[tuple[str, Integers, list[str]], ...]:
        """Of buckets and of sources: what they are, (P,) which of them, and their names."""
        return ("bucket", self.bucket, self.buckets), ("source", self.source, self.sources)

    @cached_property
    def digest(self) -> str:
        """Changes when the prompts, or what was measured of them, do."""
        columns = (self.source, self.bucket, self.difficulty, self.n, self.c, self.trained)
        content = [
            *(column.tobytes() for column in columns),
            json.dumps(self.ids.tolist()).encode(),
        ]
        return hashlib.sha256(b"".join(content)).hexdigest()[:8]

    def extra(self, name: str, rows: Integers) -> Floats:
        """(rows,) a number of their extra_info. Raises UserError where one has none."""
        decoded = [json.loads(text) if text else None for text in self.extra_info[rows]]
        infos = [info if isinstance(info, dict) else {} for info in decoded]
        values = [info.get(name) for info in infos]
        missing = sum(not _is_number(value) for value in values)
        if missing:
            numeric = {key for info in infos for key, value in info.items() if _is_number(value)}
            raise UserError(
                f"extra_info.{name} is no number for {missing} of {len(infos)} problems; fields "
                f"with numbers: {', '.join(sorted(numeric)) or 'none'}"
            )
        return np.array(values, np.float64)

    def of(self, source: str) -> Integers:
        """Rows of a source's prompts. Raises UserError where there is no such source."""
        if source not in self.sources:
            raise UserError(
                f"the sampler's source '{source}' is not in the data; there are: "
                f"{', '.join(self.sources)}"
            )
        return np.flatnonzero(self.source == self.sources.index(source))

    def rows_of(self, ids: Iterable[str]) -> Integers:
        """Rows of prompts by problem_id. Raises UserError where there is none."""
        return _found(self._row_of_id, ids, "problem_id")

    def rows_of_index(self, index: Iterable[int]) -> Integers:
        """Rows of prompts by extra_info.index. Raises UserError where there is none."""
        return _found(self._row_of_index, index, "extra_info.index")

    def take(self, rows: Integers) -> Prompts:
        """Some of the prompts; sources and buckets keep their numbers."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        columns = {name: each for name, each in values.items() if isinstance(each, np.ndarray)}
        values |= {name: column[rows] for name, column in columns.items()}
        return replace(self, **values)

    def training_side(self) -> Prompts:
        """Those that are not held out."""
        return self if self.trained.all() else self.take(np.flatnonzero(self.trained))

    @cached_property
    def _row_of_id(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids.tolist())}

    @cached_property
    def _row_of_index(self) -> dict[int, int]:
        rows = {index: row for row, index in enumerate(self.index.tolist())}
        if len(rows) < len(self):
            raise UserError("extra_info.index is not unique here: find prompts by problem_id")
        return rows


def _found(row_of: Mapping[Any, int], wanted: Iterable[Any], what: str) -> Integers:
    keys = list(wanted)
    missing = [key for key in keys if key not in row_of]
    if missing:
        some = ", ".join(map(str, missing[:3])) + ", ..." * (len(missing) > 3)
        raise UserError(
            f"no prompt here has {what} {some} ({len(missing)} of {len(keys)}): of another run's "
            "data, or held out from training"
        )
    return np.array([row_of[key] for key in keys], np.int64)


def _is_number(value: object) -> bool:
    """Whether it is one that a float can hold."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < sys.float_info.max


@dataclass(frozen=True)
class Observations:
    """Groups of rollouts that came back, a row a prompt.

    Groups may come late, in any order, some of a batch's now and some later, or never; each comes
    as a whole. Rollouts that were cut off or failed are in none of the numbers: they are not wrong
    answers. A group without any other rollout is left out.
    """

    prompt: Integers  # (G,) rows of the prompts, all different
    n: Integers  # (G,) rollouts
    passed: Integers  # (G,) of them
    reward: Floats  # (G,) mean
    lowest: Floats  # (G,)
    highest: Floats  # (G,)
    advantage: Floats  # (G,) mean of |reward - mean| / standard deviation; 0: no gradient

    def __len__(self) -> int:
        return len(self.prompt)

    @classmethod
    def of_rollouts(
        cls, prompt: Integers, reward: Floats, passed: Mask, answered: Mask | None = None
    ) -> Self:
        """Group R rollouts by prompt.

        Args:
            prompt, reward, passed: (R,).
            answered: (R,) False where a rollout was cut off or failed; None: nowhere.

        Raises:
            UserError: where a reward is no finite number.
        """
        if answered is not None:
            prompt, reward, passed = prompt[answered], reward[answered], passed[answered]
        order = np.argsort(prompt, kind="stable")
        reward = np.asarray(reward, np.float64)[order]
        if not np.isfinite(reward).all():
            raise UserError("rewards must be finite numbers; one that failed is not answered")
        unique, first, n = np.unique(prompt[order], return_index=True, return_counts=True)
        if not len(unique):
            none, zero = np.zeros(0, np.int64), np.zeros(0)
            return cls(none, none, none, zero, zero, zero, zero)
        mean = np.add.reduceat(reward, first) / n
        off = np.abs(reward - np.repeat(mean, n))
        lowest, highest = np.minimum.reduceat(reward, first), np.maximum.reduceat(reward, first)
        deviation = np.sqrt(np.add.reduceat(off**2, first) / n)
        mixed = reaches(highest, lowest, strict=True)  # equal ones may deviate by 1e-17, not 0
        advantage = np.add.reduceat(off, first) / n / np.where(mixed, deviation, 1) * mixed
        c = np.add.reduceat(passed[order].astype(np.int64), first)
        return cls(unique.astype(np.int64), n, c, mean, lowest, highest, advantage)

    @classmethod
    def of_passes(cls, prompt: Integers, passes: Integers, group_size: int) -> Self:
        """Groups of rewards of 0 and 1: (B,) prompts, and how many rollouts of each pass."""
        passed = np.arange(group_size) < passes[:, None]
        each = np.repeat(prompt, group_size)
        return cls.of_rollouts(each, passed.ravel().astype(np.float64), passed.ravel())

    def take(self, rows: npt.NDArray[Any]) -> Observations:
        """Some of the groups, by index or mask."""
        return Observations(*(getattr(self, each.name)[rows] for each in fields(self)))


class Event(NamedTuple):
    """Something that a sampler did and a person wants to know of."""

    kind: str  # level_up, weights, ...
    text: str  # as it is printed
    values: Mapping[str, Any]  # JSON values
    loud: bool = False  # whether it is a warning
