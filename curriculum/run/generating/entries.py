"""Rollouts generated once: an entry of the store that a killed run takes up again."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, cast

import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.errors import UserError
from curriculum.core.progress import progress
from curriculum.core.records import ROLLOUT_SCHEMA, Asked, Problems, Rollouts
from curriculum.formats.names import ORIGINAL
from curriculum.formats.originals import original_rows
from curriculum.formats.tables import table_of
from curriculum.generators.base import CUT_OFF, Batch, Generation, Generator
from curriculum.run.generating import parts
from curriculum.run.generating.equal import count_equal
from curriculum.run.generating.plan import plan
from curriculum.store.entries import Entry, Store, digest_of_source

log = logging.getLogger(__name__)

STAGE = "rollouts"
NOBODY = pa.scalar(-1, pa.int64())
SCHEMA = 2  # of the entry; another one makes all of them anew


@dataclass(frozen=True)
class Work:
    """Samples of problems that a generator is asked for."""

    generator: Generator
    generation: Generation
    problems: Problems
    source: str  # fingerprint of the entry that the problems come from
    asked: Sequence[Asked]

    @cached_property
    def sampling(self) -> dict[str, Any]:
        """What a problem's rollouts are drawn with."""
        settings = asdict(cast(Any, self.generator)).items()
        return {
            "generator": type(self.generator).__qualname__,
            "settings": {k: v for k, v in settings if k not in self.generator.incidental},
            "made_of": self.generator.made_of(),
            "seed": self.generation.seed,
        }

    @cached_property
    def drawn_with(self) -> str:
        """Equal for works whose rollouts of one problem may be the same."""
        return hashlib.sha256(json.dumps(self.sampling, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What the rollouts depend on; neither shards nor anything incidental."""
        return {
            **self.sampling,
            "schema": SCHEMA,
            "source": digest_of_source(type(self.generator)),
            "problems": self.source,
            "asked": hashlib.sha256(repr(list(map(tuple, self.asked))).encode()).hexdigest(),
        }

    @cached_property
    def batches(self) -> list[Batch]:
        """All of them, whichever shard this is."""
        prompts = [json.loads(text) for text in self.problems.table["prompt"].to_pylist()]
        ids = self.problems.ids.to_pylist()
        size = self.generator.batch_size
        return plan(prompts, ids, self.asked, self.generation.seed, size)


def load(store: Store, work: Work) -> tuple[Rollouts, Entry]:
    """The rollouts asked for, generated where they are not in the store.

    Raises:
        UserError: where more than `generator.max_failures` of them could not be had, or none.
    """

    def make(folder: Path) -> dict[str, int]:
        _generate(folder, work, work.batches)
        finished = parts.read(folder, ["finish_reason"])
        reasons = [part["finish_reason"].to_pylist() for part in finished]
        cut_off = sum(each.count(CUT_OFF) for each in reasons)
        total, failed = sum(map(len, reasons)), len(parts.failed(folder))
        several, equal = count_equal(parts.read(folder, ["problem", "response"]))
        counts = {"generated_rollouts": total - failed, "truncated_rollouts": cut_off}
        counts |= {"problems_of_several_samples": several, "problems_of_equal_samples": equal}
        return {**counts, "failed_calls": failed}

    entry = store.entry(STAGE, work.made_of, make, resumable=True)
    return _rollouts(entry.folder, work.problems), entry


def add_shard(store: Store, work: Work) -> tuple[int, int]:
    """Generate this shard's batches; return how many batches there are now, and of how many."""
    total = len(work.batches)
    shard, shards = work.generation.shard, work.generation.shards

    def add(folder: Path) -> int:
        _generate(folder, work, work.batches[shard::shards])
        return sum(parts.is_there(folder, batch) for batch in work.batches)

    done = store.add_part(STAGE, work.made_of, f"{shard}-of-{shards}", add)
    return total if done is None else done, total


def _generate(folder: Path, work: Work, batches: Sequence[Batch]) -> None:
    left = [batch for batch in batches if not parts.is_there(folder, batch)]
    total, to_do = (sum(map(len, each)) for each in (batches, left))
    if not left:
        return
    failed = len(parts.failed(folder))
    too_many = min(work.generation.max_failures + 1, sum(map(len, work.batches)))
    log.info("%s: generating %d of %d", STAGE, to_do, total)
    with progress("generating", "rollouts", total, total - to_do) as advance:
        for batch, responses in work.generator.generate(left):
            parts.write(folder, batch, responses)
            failed += sum(response.error is not None for response in responses)
            if failed >= too_many:
                _refuse(folder, work)
            advance(len(batch), sum(response.tokens for response in responses))


def _refuse(folder: Path, work: Work) -> NoReturn:
    """Raise UserError, for more could not be had than may; they are asked for again then."""
    failed, limit = parts.failed(folder), work.generation.max_failures
    excess = len(failed) > limit
    first = zip(failed["problem"].to_pylist()[:3], failed["error"].to_pylist()[:3], strict=True)
    ids = work.problems.ids.to_pylist()
    told = "".join(f"\n  {ids[problem]}: {error}" for problem, error in first)
    parts.forget_failed(folder)
    raise UserError(
        f"{len(failed)} rollouts could not be had, "
        + (f"more than generator.max_failures={limit}" if excess else "and not one could")
        + f". The first:{told}\nMend the cause"
        + (", or allow more with generator.max_failures=N" if excess else "")
        + ": the same command asks for them again, and keeps the others."
    )


def _rollouts(folder: Path, problems: Problems) -> Rollouts:
    def responses() -> Iterator[pa.Array]:
        for part in parts.read(folder, ["response"]):
            yield part["response"].combine_chunks()

    def rows() -> Iterator[pa.Table]:
        own = _original_columns(problems)
        for part in parts.read(folder):
            of_rollout = own.take(part["problem"])
            for name in ("response", "sample_idx", "finish_reason", "error"):
                of_rollout = of_rollout.append_column(name, part[name])
            yield of_rollout

    own = ["problem", "sample_idx", "finish_reason"]
    every = pa.concat_tables(parts.read(folder, [*own, "error"]))
    columns = {name: every[name] for name in own}
    # As of rollouts that are read: what has an error is in no rate.
    columns["problem"] = pc.if_else(every["error"].is_valid(), NOBODY, every["problem"])
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
