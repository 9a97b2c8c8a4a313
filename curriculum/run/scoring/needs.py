"""Whether any problem has what the reward needs, asked before work is spent on scoring."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, cast

import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.records import Integers, Problems
from curriculum.formats.columns import Columns, columns_of
from curriculum.formats.names import Row
from curriculum.formats.originals import original_rows
from curriculum.rewards import Reward

# Columns that hold a ground truth in data sets that don't call it so, the likeliest first.
TRUTHS_ELSEWHERE = (
    *("solution", "expected_answer", "target", "label", "gold", "expected", "reference"),
    *("final_answer", "correct_answer", "reference_answer", "expected_output", "truth"),
    *("solutions", "answers", "labels", "targets", "references"),
)
INSTEAD = " Choose a reward that does without."
LOOKED_AT = 100  # problems whose rows are read to say where a ground truth may be


def require_needs(reward: Reward, option: str, problems: Problems, rows: Integers) -> None:
    """Raise UserError where not one of some problems has a field that the reward needs.

    Args:
        option: what the configuration calls the reward.
        rows: of the problems whose rollouts are to be scored.
    """
    table = problems.at(rows)
    for name in reward.needs:
        if name in table.column_names and len(table) and table[name].null_count == len(table):
            originals = _originals(table.slice(0, LOOKED_AT))
            columns = dict.fromkeys(column for row in originals for column in row)
            field = name.replace("_", " ")
            raise UserError(
                f"reward={option} needs the {field}, and not one of {len(table)} problems has it "
                f"(columns of the data: {', '.join(columns)})."
                + (_truth_is(reward, originals, columns) if name == "ground_truth" else INSTEAD)
            )


def _originals(problems: pa.Table) -> list[Row]:
    """Original rows; of problems that stand in no file the columns are in their extra_info."""
    if any(problems["file"].to_pylist()):
        return list(original_rows(problems, None))
    infos = [json.loads(text) for text in problems["extra_info"].drop_null().to_pylist()]
    return [info for info in infos if isinstance(info, dict)]


def _truth_is(reward: Reward, rows: list[Row], columns: Iterable[str]) -> str:
    """What to set, a column that may hold the ground truth where there is one."""
    by_name = {column.lower(): column for column in columns}
    likely = [by_name[name] for name in TRUTHS_ELSEWHERE if name in by_name]
    found = next((column for column in likely if _reads(column, rows)), "COLUMN")
    text = f" Name the column that holds it: data.reward_fn_key={found}"
    if any(knob.name == "needs_ground_truth" for knob in fields(cast(Any, reward))):
        text += "; or say that none is needed: reward.needs_ground_truth=false"
    return text


def _reads(column: str, rows: list[Row]) -> bool:
    """Whether problems would have a ground truth with `data.reward_fn_key` at that column."""
    described = Columns("", "", column).describe(columns_of(rows), len(rows))
    return any(truth is not None for truth in described.ground_truth)
