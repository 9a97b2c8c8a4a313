"""Completions that TRL logs while it trains (`log_completions=True`)."""

from __future__ import annotations

from typing import ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

OTHERS = ("step", "prompt", "completion", "advantage")


class TrlCompletions(Form):
    """A row a rollout: `step, prompt, completion, advantage`, and a column a reward function.

    Source: GRPOTrainer.log of TRL 0.20 to 1.16: parquet files in `completions/`.
    """

    name: ClassVar = "TRL's completions"
    took: ClassVar = {
        "prompt": "prompt",
        "response": "completion",
        "reward": "the column of the reward function",
        "step": "step",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return set(OTHERS) <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        numbers = (int, float)
        rewards = {
            name: value
            for name, value in row.items()
            if name not in OTHERS and isinstance(value, numbers)
        }
        return {
            "prompt": row["prompt"],
            "response": row["completion"],
            "reward": rewards or None,
            "step": row["step"],
        }
