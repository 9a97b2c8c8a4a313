"""What W&B's table of runs says of one: where it came from, and what came of it, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curriculum.core.run_result import RunResult, git_commit, versions
from curriculum.trackers.base import flat


def provenance() -> dict[str, Any]:
    """Commit and versions, as keys of the configuration."""
    return flat({"provenance": {"commit": git_commit(), "version": versions()}}, ".")


def fingerprints(result: RunResult) -> dict[str, str]:
    """Of the stages of the store that a run used: runs with the same measured the same."""
    return {
        f"provenance.fingerprint.{name}": stage["fingerprint"]
        for name, stage in result.stages.items()
    }


def of_run(result: RunResult) -> dict[str, float]:
    """Counts, means, seconds of each stage, and what came of the training.

    The sampler's numbers are `training/gain`, whichever sampler it was, so that runs have them in
    one column; the control's are `training/uniform/gain`.
    """
    results = dict(result.results)
    results.pop("buckets", None)  # logged already, under the same names
    for name in ("sources", "left_out_metrics"):  # there may be hundreds
        results.pop(name, None)
    training = dict(results.pop("training", {}))
    arms = dict(training.pop("arms", {}))
    own = arms.pop(result.choices["sampler"], {})
    told = {**results, "training": {**training, **own, **arms}}
    return numbers({**told, "seconds": result.seconds, "counts": result.counts})


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among nested values, under names with slashes."""
    return {
        name: value
        for name, value in flat(values, "/").items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
