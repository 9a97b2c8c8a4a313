"""Generations that verl dumps while it trains (`trainer.rollout_data_dir`)."""

from __future__ import annotations

from typing import ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

OWN = ("input", "output", "score")


class VerlDump(Form):
    """A row a rollout: `input, output, score`, and of later ones `gts, step, uid`.

    What a reward function returned beside its score stands in columns of their own (`acc`).

    Source: RayPPOTrainer._dump_generations of verl 0.3 to 0.9.
    """

    name: ClassVar = "verl's dump"
    templated: ClassVar = True
    took: ClassVar = {
        "prompt": "input, its chat template rendered",
        "response": "output",
        "reward": "score",
        "ground_truth": "gts",
        "step": "step",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return set(OWN) <= set(row) and not {"prompt", "response", "messages"} & set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        others = {name: value for name, value in row.items() if name not in (*OWN, "gts", "step")}
        return {
            **others,
            "prompt": row["input"],
            "ground_truth": row.get("gts"),
            "response": row["output"],
            "reward": {"score": row["score"], **others},
            "step": row.get("step"),
        }
