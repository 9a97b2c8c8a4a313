"""`data=verl`: problems as verl trains on them; their rollouts come from a generator."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.data import jsonl, parquet
from curriculum.data.base import File, Loaded, Rejected
from curriculum.data.files import find
from curriculum.data.problems import Columns, ProblemList


@dataclass(frozen=True)
class Verl:
    """Parquet or JSONL: `data_source, prompt, reward_model{style, ground_truth}, extra_info`."""

    path: str | list[str]
    id_key: str
    prompt_key: str
    reward_fn_key: str

    @property
    def label(self) -> str:
        """See `Data`."""
        return str(self.path)

    def files(self) -> list[File]:
        """See `Data`."""
        return find(self.path)

    def load(self) -> Loaded:
        """See `Data`."""
        problems = ProblemList(Columns(self.id_key, self.prompt_key, self.reward_fn_key))
        rejected: list[Rejected] = []
        for file in self.files():
            if file.url.endswith(".parquet"):
                parquet.add_problems(file, problems, rejected)
            else:
                jsonl.add_problems(file, problems, rejected)
        return Loaded(problems.finish(), None, rejected)
