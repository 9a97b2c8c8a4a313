"""Rewards computed once: what a scorer said of some rollouts is an entry of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.records import Problems, Rollouts
from curriculum.rewards.base import Reward
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.scores import TooManyFailures
from curriculum.run.scoring.scoring import (
    Scoring,
    failures_in,
    read_recorded,
    require_every_source,
    score,
    score_shard,
)
from curriculum.store.entries import Entry, Store, digest_of_source

FILE = "rewards.parquet"
SCHEMA = 1  # of the entry; another one makes all of them anew


STAGE = "rewards"


@dataclass(frozen=True)
class Work:
    """Rollouts that a reward is to score."""

    reward: Reward
    problems: Problems
    rollouts: Rollouts
    scoring: Scoring
    sources: Sequence[str]  # fingerprints of the entries that problems and rollouts come from

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What the rewards depend on; neither shards nor anything incidental."""
        return {
            "reward": type(self.reward).__qualname__,
            "settings": asdict(cast(Any, self.reward)),
            "schema": SCHEMA,
            "source": digest_of_source(type(self.reward)),
            "made_of": self.reward.made_of(),
            "time_limit": self.scoring.time_limit,
            "memory_gb": self.scoring.memory_gb,
            "strip_thinking": self.scoring.strip_thinking,
            "rollouts": list(self.sources),
        }


def recorded(work: Work) -> pa.Table:
    """Rewards that are in the rollouts, as in `REWARD_SCHEMA`.

    Raises:
        ScoringError: as `load` does.
        UserError: where shards are to share them.
    """
    if work.scoring.shards > 1:
        raise UserError("reward.shards: the rewards are in the rollouts, none is to be computed")
    table = read_recorded(work.rollouts, work.scoring.max_failures)
    require_every_source(work.problems, work.rollouts, table)
    return table


def load(store: Store, work: Work, earlier: int | None = None) -> tuple[pa.Table, Entry]:
    """Rewards as in `REWARD_SCHEMA`, computed where they are not in the store.

    Args:
        earlier: failures of the rounds before; None: there were none.

    Raises:
        ScoringError: more failures than `scoring.max_failures`, or nothing but failures of some
            data source; what has a reward is kept all the same.
    """

    def write(folder: Path) -> dict[str, int]:
        kept = Kept(folder)
        table = score(work.reward, work.problems, work.rollouts, work.scoring, kept, earlier)
        with whole(folder / FILE) as path:
            pq.write_table(table, path)
        kept.clear()
        failed = len(table) - table["failure"].null_count
        return {"rewards": len(table) - table["reward"].null_count, "failures": failed}

    entry = store.entry(STAGE, work.made_of, write, resumable=True)
    table = pq.read_table(entry.folder / FILE)
    failures = failures_in(table)
    limit = work.scoring.max_failures
    if len(failures) + (earlier or 0) > limit:  # stored by a run that allowed more
        raise TooManyFailures(failures, limit, earlier or 0)
    return table, entry


def add_shard(store: Store, work: Work) -> tuple[int, int]:
    """Score this shard's part; return how many rollouts are scored now, and of how many.

    Raises:
        TooManyFailures: as soon as more than `scoring.max_failures` failed, of all shards.
    """
    total = int((work.rollouts.problem >= 0).sum())

    def add(folder: Path) -> int:
        return score_shard(work.reward, work.problems, work.rollouts, work.scoring, Kept(folder))

    part = f"{work.scoring.shard}-of-{work.scoring.shards}"
    done = store.add_part(STAGE, work.made_of, part, add)
    return total if done is None else done, total
