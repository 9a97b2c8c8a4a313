"""Problems with their responses, a few of each bucket, for the page's browser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from curriculum.core.measured import Measured
from curriculum.core.records import DECIMALS, Floats, Integers, Problems, Rollouts, evenly
from curriculum.report.differences import compare_responses
from curriculum.report.lengths import texts_and_lengths
from curriculum.report.rendered import Rendered, render
from curriculum.report.responses import Rewarded, choose_responses, place_within
from curriculum.report.texts import cut_texts, messages, plain


@dataclass(frozen=True)
class Room:
    """How much of a run a page has place for."""

    examples: int  # problems whose text is on it
    text: int = 3_700_000  # bytes of their texts together
    rendered: int = 1_200_000  # bytes of what Markdown and LaTeX in them become
    differences: int = 300_000  # bytes of what two responses to a problem say differently
    points: int = 2000  # problems in a scatter plot
    shared: bool = False  # with the pages of other jobs, in the folder of a sweep


@dataclass(frozen=True)
class Report:
    """`report` in conf/config.yaml."""

    examples: Annotated[int, Field(ge=0)] = 600

    def room(self, shared: bool) -> Room:
        """The room of a page that stands alone, or of one of a sweep's many: under 300 kB then."""
        if shared:
            return Room(min(self.examples, 24), 70_000, 50_000, 15_000, 250, shared=True)
        return Room(self.examples)


@dataclass(frozen=True)
class Examples:
    """Problems as JSON values, and how much of them there is."""

    problems: list[dict[str, Any]]
    limit: int  # characters of a text
    cut: int  # texts that are longer
    rendered: Rendered = field(default_factory=lambda: Rendered([], 0))


def spread(bucket: Integers, hardness: Floats, buckets: int, count: int) -> Integers:
    """Rows of `count` problems: as many of each bucket as it has or may have, even in hardness.

    Args:
        bucket, hardness: (P,) of each problem.
        buckets: how many there are.
    """
    sizes = np.bincount(bucket, minlength=buckets)
    picked = []
    for left, one in zip(range(buckets, 0, -1), np.argsort(sizes, kind="stable"), strict=True):
        members = np.flatnonzero(bucket == one)
        quota = min(len(members), count // left)
        count -= quota
        in_order = members[np.argsort(hardness[members], kind="stable")]
        picked.append(in_order[evenly(len(members), quota)])
    rows = np.concatenate(picked)
    return np.asarray(rows[np.argsort(rows)])


def most_telling(bucket: Integers, gradient: Floats, rate: Floats) -> Integers:
    """The order in which to read problems: by turns of each bucket, those most to be learned from.

    Args:
        bucket, gradient, rate: (E,) of each problem; the share of its groups with a gradient, and
            its pass rate, of which the one nearest to 1/2 decides between equals.

    Returns:
        (E,) their places, the most telling first.
    """
    order = np.lexsort((np.abs(rate - 0.5).round(DECIMALS), -gradient.round(DECIMALS), bucket))
    turn = np.empty(len(order), np.int64)
    turn[order] = place_within(bucket[order])
    return np.lexsort((bucket, turn))


def examples_of(
    problems: Problems, rollouts: Rollouts, rows: Integers, rewards: Rewarded | None, room: int
) -> tuple[Examples, Floats]:
    """The problems with at most eight responses of each, passes and failures among them.

    Args:
        rows: of the problems.
        rewards: None where rollouts have none yet.
        room: bytes of all texts together.

    Returns:
        Beside them (R,) the characters of each rollout's response, NaN where there is none.
    """
    table = problems.table.take(pa.array(rows))
    names = ("problem_id", "data_source", "prompt", "ground_truth")
    columns = zip(*(table[name].to_pylist() for name in names), strict=True)
    found = [
        {"id": name, "source": source, "prompt": messages(prompt), "truth": plain(truth)}
        for name, source, prompt, truth in columns
    ]
    chosen = choose_responses(rollouts, rows, len(problems), rewards)
    texts, lengths = texts_and_lengths(rollouts, chosen)
    place = np.searchsorted(rows, rollouts.problem[chosen])
    numbers = rollouts.index["sample_idx"].take(pa.array(chosen)).to_pylist()
    cut_off = rollouts.index["finish_reason"].take(pa.array(chosen)).to_pylist()
    for each in found:
        each["responses"] = []
    verdicts = [None] * len(chosen) if rewards is None else rewards.told(chosen)
    for i, text, number, reason, verdict in zip(
        place.tolist(), texts.to_pylist(), numbers, cut_off, verdicts, strict=True
    ):
        said = {"sample": number, "text": text, "truncated": reason == "length"}
        found[i]["responses"].append(said | (verdict or {}))
    limit, cut = cut_texts(found, room)
    return Examples(found, limit, cut), lengths


def measured_examples(
    outcome: Measured, rewards: Rewarded, chosen: Integers, hard: Floats, room: Room
) -> tuple[Examples, Floats]:
    """The chosen problems with what was measured of them, the most telling first.

    Args:
        hard: (P,) how hard each problem is.

    Returns:
        Beside them (R,) the characters of each rollout's response, NaN where there is none.
    """
    metrics, rows = outcome.metrics, outcome.measured[chosen]
    found, lengths = examples_of(outcome.problems, outcome.rollouts, rows, rewards, room.text)
    bucket = outcome.buckets.assignment[chosen]
    order = np.argsort(hard[chosen], kind="stable")
    for place, i in enumerate(order.tolist()):
        found.problems[i] |= {"hardness": place, "bucket": int(bucket[i])}
        found.problems[i] |= _measured(outcome, int(chosen[i]))
    rate = metrics["c"][chosen] / metrics["n"][chosen]
    order = most_telling(bucket, metrics["groups_with_gradient"][chosen], rate)
    return in_order(found, order, room), lengths


def in_order(found: Examples, order: Integers, room: Room) -> Examples:
    """The same, with what there is room for only beside the first of them."""
    ordered = [found.problems[i] for i in order.tolist()]
    compare_responses(ordered, room.differences)
    return replace(found, problems=ordered, rendered=render(ordered, room.rendered))


def _measured(outcome: Measured, row: int) -> dict[str, Any]:
    metrics = outcome.metrics
    names = ("pass_rate_low", "pass_rate_high", "mean_reward")
    numbers = {name: round(float(metrics[name][row]), 4) for name in names}
    return numbers | {name: int(metrics[name][row]) for name in ("n", "c", "truncated")}
