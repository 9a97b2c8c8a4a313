"""The bucket that a run would put a problem in, for every number of passes that it may have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from curriculum.bucketers import Bucketer
from curriculum.compare.change.runs import Run
from curriculum.config.build import build, typed
from curriculum.core.errors import UserError
from curriculum.core.records import PROBLEM_SCHEMA, Integers, Problems, Rewards
from curriculum.metrics import Measure, measure

Places = Mapping[int, Integers]  # by rollouts: (n + 1,) which bucket 0 to n passes are in


def places(run: Run, rollouts: Integers) -> Places | None:
    """By the run's metric, bucketer and edges; None where passes alone don't say the bucket.

    They don't where rewards do more than pass or fail, or equal problems are in several buckets:
    then what the run itself did with its problems is not what their passes give.

    Args:
        rollouts: numbers of them that are asked for.
    """
    several = np.unique(rollouts)
    n = np.concatenate([np.full(each + 1, each) for each in several])
    c = np.concatenate([np.arange(each + 1) for each in several])
    try:
        place = _assign(run, n, c)
    except UserError:  # a metric that so few rollouts are too few for, a plugin that is gone
        return None
    if place is None or not _says_what_it_did(run, n, c, place):
        return None
    return {int(each): place[n == each] for each in several}


def _assign(run: Run, n: Integers, c: Integers) -> Integers | None:
    config, count = run.result.config, len(n)
    passes = np.repeat(np.tile([1.0, 0.0], count), np.stack([c, n - c], axis=1).ravel())
    offsets = np.concatenate([[0], np.cumsum(n)])
    rewards = Rewards(np.arange(count), passes, offsets)
    settings = typed(Measure, config["measure"], "measure")
    if not np.array_equal(rewards.passes(settings.threshold, settings.strict), c):
        return None
    problems = Problems(pa.table(_columns(count), schema=PROBLEM_SCHEMA))
    chosen = build(config, "metric")
    metrics = measure(problems, rewards, settings, chosen, run.result.choices["metric"])
    bucketer: Bucketer = build(config, "bucketer")
    bucketer.names_, bucketer.edges_ = run.cut["names"], run.cut["edges"]
    return bucketer.assign(metrics)


def _columns(count: int) -> dict[str, pa.Array]:
    """Of problems that are nothing but a number of passes."""
    columns = {field.name: pa.nulls(count, field.type) for field in PROBLEM_SCHEMA}
    columns["problem_id"] = pa.array(map(str, range(count)), pa.string())
    for name in ("data_source", "prompt", "file"):
        columns[name] = pa.array([""] * count, pa.string())
    for name in ("data_idx", "position"):
        columns[name] = pa.array(range(count), pa.int64())
    return columns


def _says_what_it_did(run: Run, n: Integers, c: Integers, place: Integers) -> bool:
    names = np.array(run.cut["names"], object)
    said = pd.Series(names[place], pd.MultiIndex.from_arrays([n, c]))
    known = run.table[run.table["n"].isin(n)]
    did = pd.MultiIndex.from_arrays([known["n"].astype(int), known["c"].astype(int)])
    return bool((said.reindex(did).to_numpy() == known["bucket"].to_numpy()).all())
