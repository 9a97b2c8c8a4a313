"""`.eval`, the logs of Inspect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

NAME = re.compile(r"\d{4}-\d\d-\d\dT[^_]*_(.+)_[^_]+$")  # of a file: its task
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # inspect's value_to_float


class InspectLog(Form):
    """A row a sample and epoch: `input, target, output, scores, error`.

    Source: EvalSample of inspect-ai 0.3.
    """

    name: ClassVar = "Inspect's log"
    took: ClassVar = {
        "prompt": "input",
        "response": "output.choices",
        "reward": "scores",
        "ground_truth": "target",
        "sample_idx": "epoch",
        "data_source": "the file's name",
        "extra_info": "metadata",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"id", "epoch", "input", "target", "output"} <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        scores = {name: _value(each) for name, each in (row.get("scores") or {}).items()}
        error, task = row.get("error"), NAME.match(PurePosixPath(url).stem)
        choices = (row["output"] or {}).get("choices") or [None]
        return {
            "prompt": row["input"],
            "ground_truth": row["target"],
            "data_source": task[1] if task else None,
            "extra_info": row.get("metadata") or None,
            "sample_idx": row["epoch"] - 1,
            "response": choices[0],
            "reward": scores or None,
            "finish_reason": choices[0].get("stop_reason") if choices[0] else None,
            "error": error.get("message", "unknown") if isinstance(error, Mapping) else error,
        }


def _value(score: Any) -> Any:
    value = score.get("value") if isinstance(score, Mapping) else score
    return VALUES.get(value, value) if isinstance(value, str) else value
