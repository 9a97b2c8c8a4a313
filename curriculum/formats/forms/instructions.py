"""Alpaca's instructions, whose `input` is a part of the prompt."""

from __future__ import annotations

from typing import ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import PROMPTS, Row


class Instructions(Form):
    """A row a problem or a rollout: `instruction, input, output`.

    Source: Stanford Alpaca's README.
    """

    name: ClassVar = "Alpaca's instructions"
    plain: ClassVar = True
    took: ClassVar = {"prompt": "instruction and input"}

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        others = set(PROMPTS) - {"input"}
        return isinstance(row.get("instruction"), str) and not others & set(row)

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        others = {name: row[name] for name in row if name not in ("instruction", "input")}
        parts = [row["instruction"], row.get("input")]
        return {**others, "prompt": "\n\n".join(part for part in parts if part)}
