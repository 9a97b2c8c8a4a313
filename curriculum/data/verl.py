"""`data=verl`: problems as verl trains on them; their rollouts come from a generator."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.data.base import Files, Loaded
from curriculum.formats import jsonl, parquet
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Rejected, Rows


@dataclass(frozen=True)
class Verl(Files):
    """Parquet or JSONL: `data_source, prompt, reward_model{style, ground_truth}, extra_info`."""

    def load(self) -> Loaded:
        """See `Data`."""
        problems = ProblemList(self.columns)
        rejected: list[Rejected] = []
        read = 0
        for file in self.files():
            reader = parquet if file.url.endswith(".parquet") else jsonl
            read += reader.add_problems(file, problems, rejected)
        rows = Rows(read, len(problems), len(rejected))
        rows.check(self.label)
        return Loaded(problems.finish(), None, rejected, rows)
