"""How long responses are that passed and that failed, and how many were cut off, by bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.measured import Measured
from curriculum.core.records import Floats, Integers, Rollouts
from curriculum.report.responses import Rewarded

QUANTILES = (0.1, 0.5, 0.9)
VERDICTS = {1: "passed", 0: "failed", 2: "without a reward"}


def texts_and_lengths(rollouts: Rollouts, rows: Integers) -> tuple[pa.Array, Floats]:
    """The responses of some rows, and (R,) the characters of all, NaN of those without a text.

    Both come of one reading: rollouts are large files.
    """
    lengths: list[Floats] = []

    def measured() -> Iterator[pa.Array]:
        for batch in rollouts.responses():
            lengths.append(pc.utf8_length(batch).cast(pa.float64()).to_numpy(zero_copy_only=False))
            yield batch

    stream = measured()
    texts = replace(rollouts, responses=lambda: stream).texts(rows)
    for _ in stream:  # behind the last of the rows
        pass
    return texts, np.concatenate([*lengths, np.empty(0)])


def lengths_of(outcome: Measured, rewarded: Rewarded, lengths: Floats) -> list[dict[str, Any]]:
    """A row for the responses of each bucket that passed, failed, or have no reward.

    Args:
        lengths: (R,) as of `texts_and_lengths`.

    Returns:
        `responses`, quantiles of `characters` (None where no text is known), and `cut_off` of the
        `ended` whose end is known; nothing where neither is known of any.
    """
    bucket = np.full(len(outcome.problems) + 1, -1)  # the last is where -1 looks
    bucket[outcome.measured] = outcome.buckets.assignment
    of_rollout = bucket[outcome.rollouts.problem]
    verdict = rewarded.kind(np.arange(len(outcome.rollouts)))
    reason = outcome.rollouts.index["finish_reason"]
    ended = np.asarray(reason.is_valid())
    cut_off = np.asarray(pc.equal(reason, "length").fill_null(False))
    rows: list[dict[str, Any]] = []
    for b, name in enumerate(outcome.buckets.names):
        for kind, said in VERDICTS.items():
            inside = (of_rollout == b) & (verdict == kind)
            counts = {"responses": inside, "ended": ended & inside, "cut_off": cut_off & inside}
            if inside.any():
                row = {"index": b, "name": name, "verdict": said}
                row |= {what: int(each.sum()) for what, each in counts.items()}
                rows.append(row | {"characters": _quantiles(lengths[inside])})
    told = any(row["characters"] or row["ended"] for row in rows)
    return rows if told else []


def _quantiles(lengths: Floats) -> list[float] | None:
    """Lengths that there are; None where none is known."""
    known = lengths[~np.isnan(lengths)]
    return np.quantile(known, QUANTILES, method="inverted_cdf").tolist() if len(known) else None
