"""Samples of slime."""

from __future__ import annotations

from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import Row

REASONS = {"completed": "stop", "truncated": "length"}
FAILED = ("aborted", "failed", "pending")


class Slime(Form):
    """A row a rollout: `prompt, response, label, reward, status, metadata`.

    Source: Sample.to_dict of THUDM's slime.
    """

    name: ClassVar = "slime's samples"
    took: ClassVar = {
        "prompt": "prompt",
        "response": "response",
        "reward": "reward",
        "ground_truth": "label",
        "finish_reason": "status",
        "extra_info": "metadata",
        "step": "rollout_id",
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        return {"prompt", "response", "label", "status"} <= set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        status: Any = row["status"]
        return {
            "prompt": row["prompt"],
            "ground_truth": row["label"],
            "extra_info": row.get("metadata") or None,
            "response": row["response"],
            "reward": row.get("reward"),
            "step": row.get("rollout_id"),
            "finish_reason": REASONS.get(status),
            "error": f"status: {status}" if status in FAILED else None,
        }
