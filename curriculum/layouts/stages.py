"""Buckets as stages of training: files of verl's schema, train and validation apart."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.records import Buckets, Integers, Problems
from curriculum.core.summary import Written, percent, show_difficulty, show_files
from curriculum.core.terminal import console, plain_table
from curriculum.core.text import in_a_line
from curriculum.formats.identity import prompt_identity, without_number
from curriculum.layouts.base import Layout, Mask, write_json
from curriculum.layouts.parts.selection import KEPT, Causes, control, replayed, select
from curriculum.layouts.parts.split import held_out, held_out_by_data
from curriculum.layouts.parts.training import ABILITY, DATA_SOURCE, TrainingRows, training_rows
from curriculum.layouts.settings import Export

log = logging.getLogger(__name__)

MANIFEST, CUMULATIVE = "stages.json", "cumulative_stages.json"
LEFT_OUT = {
    "may_be_of_a_rollout": "not in the stages' files, for they may be of one rollout alone: %s "
    "(columns called original_... are of the problem)",
    "names_of_verl": "not in the stages' files, for verl has its own of these names: %s",
}
DROPPED = "dropped.parquet"
FEW = 0.5  # share of groups with a gradient, below which a stage is called out
SIDES = ("train", "val")
FEW_NAMED = 10  # stages that lack files, above which they are counted and not named
SPLITS = (*SIDES, "control_train")  # of which files are written


class Stage(NamedTuple):
    """A name and the buckets that make it, easy to hard."""

    name: str
    buckets: list[str]


class Sets(NamedTuple):
    """The problems of a stage, (.,) places among the measured ones."""

    stage: Stage
    train: Integers
    val: Integers
    replayed: int  # of the training ones: solved ones that were left out
    control: Integers  # as many as train, whatever the filter says; none where not asked for


@dataclass(frozen=True)
class Stages(Layout):
    """`{stage}_train.parquet` and `{stage}_val.parquet`, easy problems first, and `stages.json`.

    It is `{name}_stages.json` for a combined stage, `cumulative_stages.json` for growing ones. A
    side without a problem gets no file. `dropped.parquet` lists what was left out, and why.
    """

    def write(self, outcome: Measured, folder: Path, export: Export) -> list[Written]:
        """See `Layout`.

        Raises:
            UserError: where `export.buckets` names one there is not, or no problem is left.
        """
        rows = training_rows(outcome, export.ground_truth)
        causes, sets = _sets(outcome, export)
        described = [_described(outcome, each) for each in sets]
        _require_some(described, export)
        written: list[Written] = []
        for each in sets:
            for split, places in zip(SPLITS, (each.train, each.val, each.control), strict=True):
                if len(places):
                    path = folder / _file_name(each.stage, split, export)
                    pq.write_table(rows.table.take(pa.array(places)), path, store_schema=False)
                    written.append(Written(path, f"{len(places):,} problems"))
        if (causes != KEPT).any():
            path = folder / f"{export.prefix}{DROPPED}"
            pq.write_table(_dropped(outcome, causes), path)
            written.append(Written(path, "what is in no stage, and why"))
        manifest = _manifest(outcome, export, described, rows, causes)
        _say(manifest)
        name = "_".join([*export.shape[1:], MANIFEST] if not export.cumulative else [CUMULATIVE])
        path = write_json(folder / f"{export.prefix}{name}", manifest)
        return [*written, Written(path, "stages, counts, what was left out and why")]

    def expected_files(self, outcome: Measured, export: Export) -> list[str]:
        """The files of all stages and sides, those without a problem too."""
        stages = stages_of(outcome.buckets.names, export)
        names = [_file_name(stage, split, export) for stage in stages for split in SPLITS]
        return [*names, f"{export.prefix}{DROPPED}"]

    def trained(self, outcome: Measured, export: Export) -> Mask:
        """(P,) problems of the training side of any stage."""
        trained = np.zeros(len(outcome.measured), np.bool_)
        for each in _sets(outcome, export)[1]:
            trained[each.train] = True
        return trained

    def show(self, outcome: Measured, written: Sequence[Written]) -> None:
        """Print how hard the problems are, the stages and the files."""
        manifest = json.loads(written[-1].path.read_text())
        show_difficulty(outcome)
        table = plain_table("Stages", "stage", "buckets")
        for name in (*SIDES, "left out", "gradient"):
            table.add_column(name, justify="right")
        left_out = manifest["left_out_by_filter"]
        for stage in manifest["stages"]:
            counts = [f"{stage[split]:,}" for split in SIDES]
            counts.append(f"{sum(left_out[name] for name in stage['buckets']):,}")
            share = stage["groups_with_gradient"]
            counts.append("" if share is None else percent(share))
            table.add_row(stage["stage"], " + ".join(stage["buckets"]), *counts)
        out = console()
        out.print(table)
        out.print()
        show_files(outcome, written)


def _require_some(stages: list[dict[str, Any]], export: Export) -> None:
    if not any(stage[split] for stage in stages for split in SIDES):
        names = ", ".join(dict.fromkeys(name for stage in stages for name in stage["buckets"]))
        raise UserError(
            f"no problem is left for training: the buckets {names} have none that "
            f"export.filter={export.filter} and export.keep={export.keep} keep"
        )


def stages_of(names: Sequence[str], export: Export) -> list[Stage]:
    """The stages that the buckets make: one each, one of all, or growing ones."""
    strange = [name for name in export.buckets or [] if name not in names]
    if strange:
        raise UserError(
            f"export.buckets: there is no bucket {', '.join(strange)}; there are {', '.join(names)}"
        )
    chosen = [name for name in names if export.buckets is None or name in export.buckets]
    if export.combine:
        return [Stage(export.name, chosen)]
    if export.cumulative:
        grown = range(1, len(chosen) + 1)
        return [Stage(f"cumulative_stage{i}", chosen[:i]) for i in grown]
    return [Stage(name, [name]) for name in chosen]


def _file_name(stage: Stage, split: str, export: Export) -> str:
    return in_a_line(f"{export.prefix}{stage.name}_{split}.parquet")


def _sets(outcome: Measured, export: Export) -> tuple[Causes, list[Sets]]:
    """Why each problem is left out, and the problems of each stage."""
    stages = stages_of(outcome.buckets.names, export)
    names = {name for stage in stages for name in stage.buckets}
    chosen = np.array([name in names for name in outcome.buckets.names])
    held = validation_side(outcome, export)
    causes = select(outcome, export, held, chosen[outcome.buckets.assignment])
    kept, sets = causes == KEPT, []
    every = np.flatnonzero(~held & chosen[outcome.buckets.assignment])
    for stage in stages:
        train, val, pool = (
            _places(outcome, stage, side) for side in (kept & ~held, kept & held, ~held)
        )
        more = round(len(train) * export.replay / (1 - export.replay))
        again = replayed(causes, outcome, every, more, export.seed)
        train = np.concatenate([again, train])
        drawn = control(outcome, train, pool, export.seed) if export.control else train[:0]
        sets.append(Sets(stage, train, val, len(again), drawn))
    return causes, sets


def _described(outcome: Measured, sets: Sets) -> dict[str, Any]:
    share = outcome.metrics["groups_with_gradient"][sets.train]
    return {
        "stage": sets.stage.name,
        "buckets": sets.stage.buckets,
        "train": len(sets.train),
        "val": len(sets.val),
        "replayed": sets.replayed,
        "groups_with_gradient": float(share.mean()) if len(share) else None,
    }


def _dropped(outcome: Measured, causes: Causes) -> pa.Table:
    """A row a problem that is in no stage."""
    places = np.flatnonzero(causes != KEPT)
    problems = outcome.problems.at(outcome.measured).take(pa.array(places))
    own = {name: problems[name] for name in ("problem_id", "data_source")}
    bucket = outcome.buckets.labels().take(pa.array(places))
    counts = {name: outcome.metrics[name][places].astype(np.int64) for name in ("n", "c")}
    share = outcome.metrics["groups_with_gradient"][places]
    cause = pa.array(causes[places].tolist(), pa.string())
    return pa.table(
        {**own, "bucket": bucket, **counts, "groups_with_gradient": share, "cause": cause}
    )


def validation_side(outcome: Measured, export: Export) -> Mask:
    """(P,) the measured problems that are held out from every stage's training."""
    return validation_of(outcome.problems, outcome.measured, outcome.buckets.assignment, export)


def validation_of(problems: Problems, rows: Integers, bucket: Integers, export: Export) -> Mask:
    """(P,) which of some problems are held out, given the bucket of each."""
    if export.split == "data":
        return held_out_by_data(problems, rows)
    table = problems.at(rows)
    prompts = list(map(prompt_identity, table["prompt"].to_pylist()))
    own = zip(table["data_source"].to_pylist(), table["problem_id"].to_pylist(), strict=True)
    ids = [f"{source} {without_number(problem_id)}" for source, problem_id in own]
    strata = bucket if export.split == "bucket" else None
    return held_out(prompts, ids, strata, export.val_fraction, export.seed)


def _places(outcome: Measured, stage: Stage, side: Mask) -> npt.NDArray[np.int64]:
    """Rows of a stage: bucket after bucket, easy to hard, in the order of the data."""
    wanted = [outcome.buckets.names.index(name) for name in stage.buckets]
    parts = [np.flatnonzero(side & (outcome.buckets.assignment == bucket)) for bucket in wanted]
    return np.concatenate(parts).astype(np.int64)


def _manifest(
    outcome: Measured,
    export: Export,
    stages: list[dict[str, Any]],
    rows: TrainingRows,
    causes: Causes,
) -> dict[str, Any]:
    chosen = [name for name in outcome.buckets.names if any(name in s["buckets"] for s in stages)]
    dropped = causes != KEPT
    left_out = Buckets(outcome.buckets.names, outcome.buckets.assignment[dropped]).sizes()
    return {
        "stages": stages,
        "group_size": outcome.metrics.group_size,
        "filter": export.filter,
        "keep": export.keep,
        "left_out_by_filter": {name: left_out[name] for name in chosen},
        "left_out": dict(sorted(Counter(causes[dropped].tolist()).items())),
        "val_fraction": export.val_fraction,
        "split": export.split,
        "seed": export.seed,
        "complexity_score": outcome.metrics.chosen,
        "json_text": rows.as_text,
        "stand_ins": rows.stand_ins,
        "left_out_columns": {"may_be_of_a_rollout": rows.unsure, "names_of_verl": rows.verls},
    }


def _say(manifest: dict[str, Any]) -> None:
    """Log what a reader of the files would not expect."""
    names = {"data_source": DATA_SOURCE, "ability": ABILITY}
    for column, count in manifest["stand_ins"].items():
        log.warning("%d problems have no %s: it is %s", count, column, names[column])
    for name in manifest["json_text"]:
        log.warning("%s has values of several types: all but strings are JSON text", name)
    for cause, left_out in manifest["left_out_columns"].items():
        if left_out:
            log.warning(LEFT_OUT[cause], ", ".join(left_out))
    for stage in manifest["stages"]:
        share = stage["groups_with_gradient"]
        if share is not None and share < FEW:
            log.warning(
                "stage %s: %s of its groups of %d would carry a gradient; export.filter=gradient "
                "keeps the problems whose groups probably do",
                *(stage["stage"], percent(share), manifest["group_size"]),
            )
    _say_empty(manifest)


def _say_empty(manifest: dict[str, Any]) -> None:
    stages, wanted = manifest["stages"], bool(manifest["val_fraction"])
    empty = [[split for split in SIDES if not stage[split]] for stage in stages]
    named = [
        (stage["stage"], " and ".join(sides))
        for stage, sides in zip(stages, empty, strict=True)
        if sides and (wanted or "train" in sides)
    ]
    for name, sides in named if len(named) <= FEW_NAMED else []:
        log.warning("stage %s has no problem to %s: no file", name, sides)
    if len(named) > FEW_NAMED:
        log.warning("%d of %d stages have no problem to train or val", len(named), len(stages))
    if wanted and any(stage["train"] for stage in stages) and not any(s["val"] for s in stages):
        log.warning(
            "no problem is held out for validation, though export.val_fraction=%g: there are too "
            "few for that share",
            manifest["val_fraction"],
        )
