"""Problems as rows of verl's training schema, all of them in one Arrow schema."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.json_text import from_json
from curriculum.core.measured import Measured
from curriculum.core.records import Metrics
from curriculum.formats.columns import NO_SOURCE, STAGE
from curriculum.formats.identity import to_json
from curriculum.formats.names import ORIGINAL, SOURCES, TRUTHS
from curriculum.formats.originals import problem_rows
from curriculum.formats.tables import exact_column, of_one_type, struct_of
from curriculum.formats.took import form_of_file
from curriculum.layouts.parts.best_response import best_responses

DATA_SOURCE, ABILITY = "bucketed_curriculum", "instruction_following"  # where a row has none
STYLE = "rule"  # of a reward model that says nothing of it
# Further columns that verl's dataset and agent loops read, where the data has them.
VERL_COLUMNS = ("agent_name", "images", "videos", "audios", "__rollout_n__")
# Fields that a row of the files has by another way.
PLACED = (*SOURCES, *TRUTHS, "prompt", "ability", "reward_model", "extra_info", "data_idx")
# Names under which verl's dataset and agent loops put something of their own into a batch.
OF_VERL = (
    *("input_ids", "attention_mask", "position_ids", "prompts", "response_mask", "raw_prompt"),
    *("raw_prompt_ids", "full_prompts", "multi_modal_data", "multi_modal_inputs", "dummy_tensor"),
    *("index", "uid", "tools_kwargs", "interaction_kwargs", "rm_scores", "token_level_scores"),
    *("token_level_rewards", "advantages", "returns", "values", "old_log_probs"),
)
Truths = Literal["auto", "text", "object"]
# Prompts and responses may come to more than the 2 GiB of a string array; in files it is the same.
CHAT = pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())]))
INDEX, ORIGINAL_INDEX = "index", "original_index"


@dataclass
class TrainingRows:
    """A row a measured problem, and what a reader of the files has to know."""

    table: pa.Table
    as_text: list[str] = field(default_factory=list)  # fields with values of several types
    stand_ins: dict[str, int] = field(default_factory=dict)  # rows without one of their own
    unsure: list[str] = field(default_factory=list)  # left out: columns that may be of a rollout
    verls: list[str] = field(default_factory=list)  # left out: columns with a name that verl uses


def training_rows(outcome: Measured, ground_truth: Truths = "auto") -> TrainingRows:
    """(P,) rows `data_source, prompt, ability, reward_model, extra_info`, and the data's others.

    Rows keep what they have of these. `extra_info` keeps its keys and gets `curriculum_stage` (the
    bucket), `difficulty_metrics`, `best_response`, `complexity_score` (the run's metric, higher is
    harder), `index` (the row of the problem in the data: an int64, unique over all files),
    `problem_id` and, as a string, the `original_index`.

    Args:
        ground_truth: what they become; auto: JSON text where they are of several types.

    Raises:
        UserError: where prompts are no chats of one form, or are rendered already; or ground
            truths are not of one type, and are to stay what they are.
    """
    problems = outcome.problems.table.take(pa.array(outcome.measured))
    _require_unrendered(problems)
    originals, unsure = problem_rows(problems, outcome.rollout_columns)
    rows = TrainingRows(pa.table({}))
    truths = _decoded(problems["ground_truth"])
    infos = [_as_mapping(info) for info in _decoded(problems["extra_info"])]
    known = _known(outcome, problems, infos)
    columns = {
        "data_source": _data_source(problems, originals, rows),
        "prompt": _chats(_decoded(problems["prompt"])),
        "ability": _with_stand_in(
            "ability", [row.get("ability") for row in originals], ABILITY, rows
        ),
        "reward_model": _reward_model(originals, truths, ground_truth, rows),
        "extra_info": struct_of(_own_info(infos, known, rows) | known),
    }
    columns |= _others(originals, unsure, problems, rows)
    rows.table = pa.table(columns)
    return rows


def _require_unrendered(problems: pa.Table) -> None:
    """Raise UserError where a trainer would render prompts a second time."""
    for url in pc.unique(problems["file"]).to_pylist():
        form = form_of_file(url) if url else None
        if form is not None and form.templated:
            raise UserError(
                f"{url}: the prompts of {form.name} have a chat template around them, and training "
                "would add another. data=verl data.path=WHAT_IT_WAS_TRAINED_ON "
                "generator.path=DUMPS takes the prompts from there; until=buckets writes no files"
            )


def _known(
    outcome: Measured, problems: pa.Table, infos: Sequence[Mapping[str, Any]]
) -> dict[str, pa.Array]:
    """What this run knows of each problem."""
    both = [(info.get(ORIGINAL_INDEX), info.get(INDEX)) for info in infos]
    index = [own if original is None else original for original, own in both]
    return {
        STAGE: outcome.buckets.labels(),
        "difficulty_metrics": _difficulty(outcome.metrics),
        "best_response": best_responses(outcome),
        "complexity_score": pa.array(outcome.metrics.complexity(), pa.float64()),
        INDEX: pa.array(outcome.measured, pa.int64()),
        "problem_id": problems["problem_id"].combine_chunks(),
        ORIGINAL_INDEX: pa.array(
            [None if each is None else str(each) for each in index], pa.string()
        ),
    }


def _difficulty(metrics: Metrics) -> pa.StructArray:
    """Means of the run's rewards; the pass rate as a share, with its interval."""
    return struct_of(
        {
            "mean_score": pa.array(metrics["mean_reward"]),
            "max_score": pa.array(metrics["max_reward"]),
            "pass_rate": pa.array(metrics["c"] / metrics["n"]),
            "pass_rate_low": pa.array(metrics["pass_rate_low"]),
            "pass_rate_high": pa.array(metrics["pass_rate_high"]),
            "n": pa.array(metrics["n"].astype(np.int64)),
            "c": pa.array(metrics["c"].astype(np.int64)),
        }
    )


def _data_source(
    problems: pa.Table, originals: Sequence[Mapping[str, Any]], rows: TrainingRows
) -> pa.Array:
    own = [
        source if source != NO_SOURCE or any(row.get(name) for name in SOURCES) else None
        for source, row in zip(problems["data_source"].to_pylist(), originals, strict=True)
    ]
    return _with_stand_in("data_source", own, DATA_SOURCE, rows)


def _with_stand_in(name: str, own: list[Any], stand_in: str, rows: TrainingRows) -> pa.Array:
    missing = sum(not each for each in own)
    if missing:
        rows.stand_ins[name] = missing
    return pa.array([str(each) if each else stand_in for each in own], pa.string())


def _reward_model(
    originals: Sequence[Mapping[str, Any]], truths: list[Any], kind: Truths, rows: TrainingRows
) -> pa.StructArray:
    own = [_mapping_or_none(row.get("reward_model")) for row in originals]
    names = dict.fromkeys(["style", *(name for each in own for name in each)])
    names.pop("ground_truth", None)
    values = {name: [each.get(name) for each in own] for name in names}
    values["style"] = [STYLE if each is None else each for each in values["style"]]
    columns = {name: _column(f"reward_model.{name}", each, rows) for name, each in values.items()}
    return struct_of(columns | {"ground_truth": _truths(truths, kind, rows)})


def _truths(values: list[Any], kind: Truths, rows: TrainingRows) -> pa.Array:
    name = "reward_model.ground_truth"
    if kind == "auto":
        return _column(name, values, rows)
    if kind == "text":
        text = [each if isinstance(each, str | None) else to_json(each) for each in values]
        return pa.array(text, pa.string())
    found = of_one_type(values)
    if found is None:
        raise UserError(
            "export.ground_truth=object: the ground truths have no common type that parquet can "
            "hold; export.ground_truth=text makes text of all of them"
        )
    return found


def _others(
    originals: Sequence[Mapping[str, Any]],
    unsure: Collection[str],
    problems: pa.Table,
    rows: TrainingRows,
) -> dict[str, pa.Array]:
    """Further columns of the data, but those that say what a field of the problem says."""
    fields = [problems[name].to_pylist() for name in ("prompt", "ground_truth", "problem_id")]
    found: dict[str, pa.Array] = {}
    for name in dict.fromkeys(name for row in originals for name in row):
        if name in PLACED or name.startswith(ORIGINAL):
            continue
        values = [row.get(name) for row in originals]
        text = [None if value is None else to_json(value) for value in values]
        if text in fields or values in fields or not any(value is not None for value in values):
            continue
        if name in OF_VERL:
            rows.verls.append(name)
        elif name in unsure and name not in VERL_COLUMNS:
            rows.unsure.append(name)
        else:
            found[name] = _column(name, values, rows)
    return found


def _own_info(
    infos: Sequence[Mapping[str, Any]], known: Collection[str], rows: TrainingRows
) -> dict[str, pa.Array]:
    names = dict.fromkeys(name for info in infos for name in info if name not in known)
    return {
        name: _column(f"extra_info.{name}", [info.get(name) for info in infos], rows)
        for name in names
    }


def _column(name: str, values: list[Any], rows: TrainingRows) -> pa.Array:
    array, kept_its_type = exact_column(values)
    if not kept_its_type:
        rows.as_text.append(name)
    return array


def _chats(prompts: Sequence[Any]) -> pa.Array:
    """Prompts as lists of messages; a text is one of the user's."""
    chats = [_chat(prompt) for prompt in prompts]
    plain = all(
        set(message) <= {"role", "content"} and isinstance(message.get("content"), str)
        for chat in chats
        for message in chat
    )
    try:
        return pa.array(chats, CHAT) if plain else pa.array(chats)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(f"the prompts are chats of several forms: {error}") from error


def _chat(prompt: Any) -> list[Mapping[str, Any]]:
    if isinstance(prompt, list) and all(isinstance(each, Mapping) for each in prompt):
        # Parquet gives every message the keys of all.
        return [_without_nulls(each) for each in prompt]
    text = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
    return [{"role": "user", "content": text}]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _decoded(column: pa.ChunkedArray) -> list[Any]:
    return [from_json(text) for text in column.to_pylist()]


def _as_mapping(info: Any) -> Mapping[str, Any]:
    """An extra_info that is no object stays under its own name."""
    if isinstance(info, Mapping):
        return info
    return {} if info is None else {"extra_info": info}


def _mapping_or_none(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
