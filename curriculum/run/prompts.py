"""What a run knows of its problems, as a sampler takes it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curriculum.core.json_text import are_strings, strings
from curriculum.core.measured import Measured
from curriculum.core.prompts import Mask, Prompts
from curriculum.core.records import Floats, Integers, Metrics, Problems
from curriculum.integrations.chats import plain_text


def prompts_of(outcome: Measured, trained: Mask) -> Prompts:
    """The measured problems.

    Args:
        trained: (P,) which of them are on the training side.
    """
    return _prompts(
        outcome.problems,
        outcome.measured,
        bucket=outcome.buckets.assignment,
        buckets=list(outcome.buckets.names),
        difficulty=_difficulty(outcome.metrics),
        n=outcome.metrics["n"],
        c=outcome.metrics["c"],
        trained=trained,
    )


def unmeasured_prompts(problems: Problems, trained: Mask) -> Prompts:
    """All problems, in one bucket, of none of which anything is known."""
    count = len(problems)
    return _prompts(
        problems,
        np.arange(count),
        bucket=np.zeros(count, np.int64),
        buckets=["unmeasured"],
        difficulty=np.full(count, np.nan),
        n=np.zeros(count),
        c=np.zeros(count),
        trained=trained,
    )


def _prompts(problems: Problems, rows: Integers, **measured: Any) -> Prompts:
    table = problems.at(rows)
    sources = pc.dictionary_encode(table["data_source"].combine_chunks())
    return Prompts(
        ids=table["problem_id"].to_numpy(),
        index=rows,
        source=sources.indices.to_numpy(zero_copy_only=False).astype("int64"),
        sources=sources.dictionary.to_pylist(),
        extra_info=table["extra_info"].to_numpy(),
        length=_lengths(table["prompt"]),
        **measured,
    )


def _lengths(prompts: pa.ChunkedArray) -> Integers:
    """(P,) characters that a model without a chat template would read."""
    lengths = np.array(pc.utf8_length(strings(prompts)), np.int64)
    chats = np.flatnonzero(~are_strings(prompts).to_numpy())
    texts = prompts.take(pa.array(chats)).to_pylist()
    lengths[chats] = [len(plain_text(json.loads(each))) for each in texts]
    return lengths


def _difficulty(metrics: Metrics) -> Floats:
    """(P,) by the chosen metric, NaN where a problem has too few rollouts for it."""
    defined = np.flatnonzero(~np.isnan(metrics[metrics.chosen]))
    difficulty = np.full(len(metrics), np.nan)
    difficulty[defined] = metrics.take(defined).complexity()
    return difficulty
