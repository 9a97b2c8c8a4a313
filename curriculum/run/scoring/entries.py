"""Rewards computed once: what a scorer said of some rollouts is an entry of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.atomic import whole
from curriculum.core.records import Problems, Rollouts
from curriculum.rewards.base import Reward
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.scoring import (
    Scoring,
    TooManyFailures,
    failures_in,
    read_recorded,
    require_every_source,
    score,
)
from curriculum.store.entries import Entry, Store, digest_of_source

FILE = "rewards.parquet"
SCHEMA = 1  # of the entry; another one makes all of them anew


def load(
    store: Store,
    reward: Reward,
    problems: Problems,
    rollouts: Rollouts,
    scoring: Scoring,
    made_of: Sequence[str],
    earlier: int | None = None,
) -> tuple[pa.Table, Entry | None]:
    """Rewards as in `REWARD_SCHEMA`, and their entry (None: recorded ones are in the rollouts).

    Args:
        made_of: fingerprints of the entries that problems and rollouts come from.
        earlier: failures of the rounds before; None: there were none.

    Raises:
        ScoringError: more failures than `scoring.max_failures`, or nothing but failures of some
            data source; what has a reward is kept all the same.
    """
    if reward.in_rollouts:
        recorded = read_recorded(rollouts, scoring.max_failures)
        require_every_source(problems, rollouts, recorded)
        return recorded, None

    def write(folder: Path) -> dict[str, int]:
        kept = Kept(folder)
        table = score(reward, problems, rollouts, scoring, kept, earlier)
        with whole(folder / FILE) as path:
            pq.write_table(table, path)
        kept.clear()
        failed = len(table) - table["failure"].null_count
        return {"rewards": len(table) - table["reward"].null_count, "failures": failed}

    inputs = {
        "reward": type(reward).__qualname__,
        "settings": asdict(cast(Any, reward)),
        "schema": SCHEMA,
        "source": digest_of_source(type(reward)),
        "made_of": reward.made_of(),
        "time_limit": scoring.time_limit,
        "strip_thinking": scoring.strip_thinking,
        "rollouts": list(made_of),
    }
    entry = store.entry("rewards", inputs, write, resumable=True)
    table = pq.read_table(entry.folder / FILE)
    failures = failures_in(table)
    if len(failures) + (earlier or 0) > scoring.max_failures:  # stored by a run that allowed more
        raise TooManyFailures(failures, scoring.max_failures, earlier or 0)
    return table, entry
