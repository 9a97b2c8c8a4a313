"""`data=buckets`: rollouts that lie in buckets already, one file a bucket."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.names import BEYOND, EDGES, UNSCORED
from curriculum.data.base import Loaded
from curriculum.data.rollouts import Rollouts
from curriculum.formats.files import File, find

GENERATIONS = re.compile(r"generations_\d+")  # every rollout once more, as verl dumps them


@dataclass(frozen=True)
class Buckets(Rollouts):
    """`{bucket}.jsonl` in a folder, as `preset=bucket_rollouts` leaves them; other files stay out.

    A glob or a list of files may name rollouts in any form; a file's bucket is its name.
    """

    rows_apart: ClassVar = True  # a line is in the bucket that it is in

    def files(self) -> list[File]:
        """See `Data`."""
        found = find(self.path, in_folders=(".jsonl",))
        buckets = [file for file in found if not GENERATIONS.fullmatch(_stem(file.url))]
        if not buckets:
            raise UserError(f"{self.path} holds dumps of generations only, no bucket (data.path)")
        return buckets

    def takes_all_of(self, folder: Path) -> bool:
        """Only JSONL of a folder is read."""
        return False

    def names(self) -> list[str] | None:
        """The buckets' names, easy to hard, where the run that made the folder left them there.

        Raises:
            UserError: where the folder has the files of several such runs.
        """
        files = [file.url for file in self.files()]
        names = _names_beside(files[0])
        found = {_stem(url) for url in files}
        if names is None:
            return None
        prefixes = {stem.removesuffix(names[0]) for stem in found if stem.endswith(names[0])}
        orders = {prefix: [f"{prefix}{name}" for name in names] for prefix in sorted(prefixes)}
        whole = {prefix: order for prefix, order in orders.items() if set(order) <= found}
        if len(whole) > 1:
            one = PurePosixPath(files[0]).parent / f"{list(whole)[-1]}*.jsonl"
            raise UserError(
                f"{self.path} has the buckets of several runs, so every problem several times: "
                f"choose one, as in data.path='{one}'"
            )
        for prefix, order in whole.items():
            if found <= {*order, f"{prefix}{UNSCORED}"}:
                return order
        return None

    def load(self) -> Loaded:
        """See `Data`."""
        loaded = super().load()
        names = [_stem(url) for url in loaded.problems.table["file"].to_pylist()]
        problems = loaded.problems.in_buckets(pa.array(names, pa.string()))
        return loaded._replace(problems=problems)


def _names_beside(url: str) -> list[str] | None:
    edges = Path(url).parent / EDGES
    if not edges.is_file():
        return None
    try:
        saved = json.loads(edges.read_text())
        names = saved["names"] + saved.get(BEYOND, [])
    except (ValueError, KeyError, TypeError):
        return None  # another tool's file of that name
    usable = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    return names if usable else None


def _stem(url: str) -> str:
    return PurePosixPath(url).stem
