"""`data=verl`: problems as verl trains on them; their rollouts come from a generator."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.data.base import Files, Loaded
from curriculum.formats import rowwise
from curriculum.formats.problems import ProblemList
from curriculum.formats.rows import Rejected, Rows
from curriculum.formats.took import took


@dataclass(frozen=True)
class Verl(Files):
    """Parquet or JSONL: `data_source, prompt, reward_model{style, ground_truth}, extra_info`."""

    def load(self) -> Loaded:
        """See `Data`."""
        problems = ProblemList(self.fields)
        rejected: list[Rejected] = []
        read = 0
        for file in self.files():
            read += rowwise.add_problems(file, problems, rejected)
        rows = Rows(read, len(problems), len(rejected))
        rows.check(self.label)
        said = took(self.files(), self.fields, rollouts=False)
        return Loaded(problems.finish(), None, rejected, rows, said)
