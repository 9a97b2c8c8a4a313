"""IFEval's instructions, which are the ground truth in two columns."""

from __future__ import annotations

from typing import ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import TRUTHS, Row

NAMES, ARGUMENTS = "instruction_id_list", "kwargs"


class IfEval(Form):
    """A row a problem or a rollout: `prompt, instruction_id_list, kwargs`.

    Source: google/IFEval, https://arxiv.org/abs/2311.07911.
    """

    name: ClassVar = "IFEval's instructions"
    plain: ClassVar = True
    took: ClassVar = {"ground_truth": f"{NAMES} and {ARGUMENTS}"}

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        other = any(row.get(name) is not None for name in (*TRUTHS, "reward_model"))
        return {NAMES, ARGUMENTS, "prompt"} <= set(row) and not other

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        others = {name: row[name] for name in row if name not in (NAMES, ARGUMENTS)}
        return {**others, "ground_truth": {name: row[name] for name in (NAMES, ARGUMENTS)}}
