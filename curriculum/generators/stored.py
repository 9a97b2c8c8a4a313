"""Rollouts generated once: a stage of the store that a killed run takes up again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from curriculum.data.originals import original_rows
from curriculum.data.problems import ORIGINAL
from curriculum.data.tables import table_of
from curriculum.generators import parts
from curriculum.generators.base import Generation, Generator
from curriculum.generators.plan import plan
from curriculum.records import ROLLOUT_SCHEMA, Problems, Rollouts
from curriculum.store import Stage, Store
from curriculum.terminal import generation_bar


def load(
    store: Store, generator: Generator, problems: Problems, made_of: str, generation: Generation
) -> tuple[Rollouts, Stage]:
    """Rollouts of each problem, as many as `generation` says.

    Args:
        made_of: fingerprint of the stage that the problems come from.
    """
    knobs = {k: v for k, v in asdict(cast(Any, generator)).items() if k not in ("model", "use_shm")}
    inputs = {
        "generator": type(generator).__qualname__,
        "knobs": knobs,
        "made_of": generator.made_of(),
        "problems": made_of,
        "generation": asdict(generation),
    }
    stage = store.stage(
        "rollouts",
        inputs,
        lambda folder: _generate(folder, generator, problems, generation),
        resumable=True,
    )
    return _rollouts(stage.folder, problems), stage


def _generate(
    folder: Path, generator: Generator, problems: Problems, generation: Generation
) -> dict[str, int]:
    prompts = [json.loads(text) for text in problems.table["prompt"].to_pylist()]
    batches = plan(prompts, problems.ids.to_pylist(), generation, generator.batch_size)
    left = [batch for batch in batches if not parts.path_of(folder, batch).exists()]
    total = sum(map(len, batches))
    with generation_bar() as progress:
        bar = progress.add_task(
            "generating", total=total, completed=total - sum(map(len, left)), tokens=0
        )
        tokens = 0
        for batch, responses in generator.generate(left):
            parts.write(folder, batch, responses)
            tokens += sum(response.tokens for response in responses)
            progress.update(bar, advance=len(batch), tokens=tokens)
    everything = pa.concat_tables(parts.read(folder))
    truncated = everything["finish_reason"].to_pylist().count("length")
    return {"generated_rollouts": len(everything), "truncated_rollouts": truncated}


def _rollouts(folder: Path, problems: Problems) -> Rollouts:
    def responses() -> Iterator[pa.Array]:
        for part in parts.read(folder):
            yield part["response"].combine_chunks()

    def rows() -> Iterator[pa.Table]:
        own = _original_columns(problems)
        for part in parts.read(folder):
            of_rollout = own.take(part["problem"])
            for name in ("response", "sample_idx", "finish_reason"):
                of_rollout = of_rollout.append_column(name, part[name])
            yield of_rollout

    every = pa.concat_tables(parts.read(folder))
    columns = {name: every[name] for name in ("problem", "sample_idx", "finish_reason")}
    columns["reward"] = pa.nulls(len(every), pa.float64())
    index = pa.table([columns[name] for name in ROLLOUT_SCHEMA.names], schema=ROLLOUT_SCHEMA)
    return Rollouts(index.combine_chunks(), responses, rows)


def _original_columns(problems: Problems) -> pa.Table:
    """(P,) the prompt under its own name, `data_idx`, everything else as `original_*`."""
    flat = []
    originals = original_rows(problems.table, None)
    for original, prompt in zip(originals, problems.table["prompt"].to_pylist(), strict=True):
        others = {k: v for k, v in original.items() if k not in ("prompt", "data_idx")}
        own = {f"{ORIGINAL}{name}": value for name, value in others.items()}
        flat.append({"prompt": json.loads(prompt), **own})
    return table_of(flat).append_column("data_idx", problems.table["data_idx"])
