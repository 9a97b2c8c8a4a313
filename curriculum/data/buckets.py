"""`data=buckets`: rollouts that lie in buckets already, one file a bucket."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

from curriculum.data.base import File, Loaded
from curriculum.data.files import find
from curriculum.data.rollouts import Rollouts

EDGES = "buckets.json"  # what a run leaves of its buckets
UNSCORED = "unscored"  # lines without a single usable reward
GENERATIONS = re.compile(r"generations_\d+")  # every rollout once more, as verl dumps them


@dataclass(frozen=True)
class Buckets(Rollouts):
    """`{bucket}.jsonl` in a folder, as `preset=bucket_rollouts` leaves them; other files stay out.

    A glob or a list of files may name rollouts in any form; a file's bucket is its name.
    """

    def files(self) -> list[File]:
        """See `Data`."""
        found = find(self.path, in_folders=(".jsonl",))
        return [file for file in found if not GENERATIONS.fullmatch(_stem(file.url))]

    def names(self) -> list[str] | None:
        """The buckets' names, easy to hard, where the run that made the folder left them there."""
        edges = Path(self.path) / EDGES if isinstance(self.path, str) else None
        if edges is None or not edges.is_file():
            return None
        names = json.loads(edges.read_text())["names"]
        found = {_stem(file.url) for file in self.files()} - {UNSCORED}
        prefixes = {stem.removesuffix(names[0]) for stem in found if stem.endswith(names[0])}
        orders = [[f"{prefix}{name}" for name in names] for prefix in sorted(prefixes)]
        return next((order for order in orders if set(order) == found), None)

    def load(self) -> Loaded:
        """See `Data`."""
        problems, index, rejected = super().load()
        names = [_stem(url) for url in problems.table["file"].to_pylist()]
        return Loaded(problems.in_buckets(pa.array(names, pa.string())), index, rejected)


def _stem(url: str) -> str:
    return PurePosixPath(url).stem
