"""Cutting with new edges or with those of another run, and leaving them for the next."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.bucketers.base import Bucketer
from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.json_file import read_json
from curriculum.core.names import ASSIGNMENT, BEYOND, CUTS, EDGES, SUMMARY, UNKNOWN
from curriculum.core.records import Buckets, Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Edges:
    """Whose edges to apply (`bucketer` in conf/config.yaml)."""

    edges: str | None = None  # buckets.json of another run; None: fit


def cut(
    bucketer: Bucketer,
    metrics: Metrics,
    edges: str | None,
    folder: Path,
    unknown: npt.NDArray[np.bool_] | None = None,
) -> Buckets:
    """Fit the bucketer, or load its edges, and assign every problem.

    Writes `buckets.json`, the edges, and `buckets.parquet`, the bucket of each problem
    with its rollouts, passes and the interval of its pass rate.

    Args:
        unknown: (P,) problems for a bucket of their own, behind the hardest.

    Raises:
        UserError: where the edges are of another bucketer or metric, or of metrics that count
            otherwise.
    """
    if edges is None:
        bucketer.fit(metrics)
    else:
        _load(bucketer, metrics, Path(edges))
    with _fitting(bucketer, edges):
        names, assignment = bucketer.names_, bucketer.assign(metrics)
        cuts = bucketer.describe(metrics)
        if assignment.max(initial=0) >= len(names):
            raise ValueError(f"{len(names)} names for {assignment.max() + 1} buckets")
    if unknown is not None:
        assignment = np.where(unknown, len(names), assignment)
        names = [*names, UNKNOWN]
    buckets = Buckets(names, assignment, cuts, bucketer.splits_ties)
    _save(bucketer, metrics, folder / EDGES, buckets)
    counts = {name: pa.array(metrics[name].astype(np.int64)) for name in ("n", "c")}
    interval = {name: pa.array(metrics[name]) for name in ("pass_rate_low", "pass_rate_high")}
    bucket = {"problem_id": metrics.problem_id, "bucket": buckets.labels()}
    with whole(folder / ASSIGNMENT) as path:
        pq.write_table(pa.table({**bucket, **counts, **interval}), path)
    return buckets


def _save(bucketer: Bucketer, metrics: Metrics, path: Path, buckets: Buckets) -> None:
    content = {
        "bucketer": type(bucketer).__name__,
        "names": bucketer.names_,
        BEYOND: buckets.names[len(bucketer.names_) :],  # behind the hardest, and of no edge
        "edges": bucketer.edges_,
        CUTS: asdict(buckets.cuts) if buckets.cuts else None,
        SUMMARY: bucketer.summary(),
        "measure": dict(metrics.basis),
    }
    with whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _load(bucketer: Bucketer, metrics: Metrics, path: Path) -> None:
    if not path.is_file():
        raise UserError(f"bucketer.edges={path}: there is no such file (a run leaves {EDGES})")
    saved = read_json(path, "bucketer.edges=")
    _require_edges(saved, path)
    ours = type(bucketer).__name__
    if saved.get("bucketer") != ours:
        raise UserError(
            f"bucketer.edges={path} are of bucketer {saved.get('bucketer')}, this run has {ours}"
        )
    theirs = saved.get("measure", metrics.basis)
    if theirs != metrics.basis:
        said = " ".join(f"measure.{key}={json.dumps(value)}" for key, value in theirs.items())
        raise UserError(f"bucketer.edges={path} are of other metrics than this run's: add {said}")
    log.info("buckets: %s of %s; the bucketer's own settings are not used", saved["names"], path)
    bucketer.names_, bucketer.edges_ = saved["names"], saved["edges"]


def _require_edges(saved: Any, path: Path) -> None:
    """Raise UserError where a file is not what a run leaves of its edges."""
    names = saved.get("names") if isinstance(saved, dict) else None
    whole_names = isinstance(names, list) and names and all(isinstance(x, str) for x in names)
    measure = saved.get("measure", {}) if isinstance(saved, dict) else None
    if not (whole_names and isinstance(saved.get("edges"), dict) and isinstance(measure, dict)):
        raise UserError(
            f"bucketer.edges={path} is not what a run leaves ({EDGES}): it has no names and edges"
        )


@contextmanager
def _fitting(bucketer: Bucketer, edges: str | None) -> Iterator[None]:
    """Edges that a bucketer of this kind does not write are a mistake in their file."""
    try:
        yield
    except UserError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if edges is None:
            raise
        raise UserError(
            f"bucketer.edges={edges}: its edges are none of {type(bucketer).__name__} ({error!r})"
        ) from error
