"""Cutting with new edges or with those of another run, and leaving them for the next."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.bucketers.base import Bucketer
from curriculum.errors import UserError
from curriculum.records import Buckets, Metrics

EDGES = "buckets.json"
ASSIGNMENT = "buckets.parquet"


def cut(bucketer: Bucketer, metrics: Metrics, edges: str | None, folder: Path) -> Buckets:
    """Fit the bucketer, or load its edges, and assign every problem.

    Writes `buckets.json`, the edges, and `buckets.parquet`, the bucket of each problem.

    Raises:
        UserError: where the edges are of another bucketer or metric.
    """
    if edges is None:
        bucketer.fit(metrics)
    else:
        _load(bucketer, metrics, Path(edges))
    buckets = Buckets(bucketer.names_, bucketer.assign(metrics))
    _save(bucketer, metrics, folder / EDGES)
    table = pa.table({"problem_id": metrics.problem_id, "bucket": buckets.labels()})
    pq.write_table(table, folder / ASSIGNMENT)
    return buckets


def _save(bucketer: Bucketer, metrics: Metrics, path: Path) -> None:
    content = {
        "bucketer": type(bucketer).__name__,
        "metric": metrics.chosen,
        "easier": metrics.easier[metrics.chosen],
        "names": bucketer.names_,
        "edges": bucketer.edges_,
    }
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _load(bucketer: Bucketer, metrics: Metrics, path: Path) -> None:
    if not path.is_file():
        raise UserError(f"bucketer.edges={path}: there is no such file (a run leaves {EDGES})")
    try:
        saved = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"bucketer.edges={path} is not JSON: {error}") from error
    for what, ours in (("bucketer", type(bucketer).__name__), ("metric", metrics.chosen)):
        if saved.get(what) != ours:
            raise UserError(
                f"bucketer.edges={path} are of {what} {saved.get(what)}, this run has {ours}: "
                f"edges only mean something to the same {what}"
            )
    bucketer.names_, bucketer.edges_ = saved["names"], saved["edges"]
