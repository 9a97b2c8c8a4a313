"""`data=buckets`: rollouts that lie in buckets already, one file a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from curriculum.data.base import File, Loaded
from curriculum.data.files import find
from curriculum.data.rollouts import Rollouts


@dataclass(frozen=True)
class Buckets(Rollouts):
    """`{bucket}.jsonl` in a folder, as `preset=bucket_rollouts` leaves them; other files stay out.

    A glob or a list of files may name rollouts in any form; a file's bucket is its name.
    """

    def files(self) -> list[File]:
        """See `Data`."""
        return find(self.path, in_folders=(".jsonl",))

    def load(self) -> Loaded:
        """See `Data`."""
        problems, index, rejected = super().load()
        names = [PurePosixPath(url).stem for url in problems.table["file"].to_pylist()]
        return Loaded(problems.in_buckets(pa.array(names, pa.string())), index, rejected)
