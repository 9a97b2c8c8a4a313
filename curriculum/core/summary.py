"""What a run says of its problems and buckets: as numbers, as a table, and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from curriculum.core.json_text import strings
from curriculum.core.measured import Measured
from curriculum.core.names import RESULT, UNKNOWN
from curriculum.core.records import Floats, Metrics
from curriculum.core.sources import encoded, source_statistics
from curriculum.core.terminal import console, plain_table, shown

BAR = 32  # characters of the longest bar
SOURCES = 12  # that a terminal has room for
COLORS = ["green", "yellow", "dark_orange", "red", "magenta"]


class Written(NamedTuple):
    """A file of a run and what it holds."""

    path: Path
    what: str


def bucket_statistics(outcome: Measured) -> dict[str, dict[str, float]]:
    """Per bucket, easy to hard: count and, where it is not 0, means over its problems."""
    metrics = outcome.metrics
    statistics: dict[str, dict[str, float]] = {}
    for i, (name, count) in enumerate(outcome.buckets.sizes().items()):
        inside = outcome.buckets.assignment == i
        statistics[name] = {"count": count}
        if count:
            share = metrics["c"][inside] / metrics["n"][inside]
            estimated, low, high = outcome.pass_rates[i].tolist()
            statistics[name] |= {
                "mean_reward": float(metrics["mean_reward"][inside].mean()),
                "mean_pass_rate": float(share.mean()),
                "mean_difficulty_score": float(metrics["difficulty_score"][inside].mean()),
                "lowest_pass_rate": float(share.min()),
                "highest_pass_rate": float(share.max()),
                "estimated_pass_rate": estimated,
                "estimated_pass_rate_low": low,
                "estimated_pass_rate_high": high,
                "groups_with_gradient": float(metrics["groups_with_gradient"][inside].mean()),
            }
    return statistics


def overall_statistics(metrics: Metrics) -> dict[str, float]:
    """Counts, and means over problems; shares for pass rates."""
    return {
        "total_problems": len(metrics),
        "total_rollouts": int(metrics["n"].sum()),
        "mean_pass_rate": float((metrics["c"] / metrics["n"]).mean()),
        "mean_reward": float(metrics["mean_reward"].mean()),
        "truncated_rollouts": int(metrics["truncated"].sum()),
        "groups_with_gradient": float(metrics["groups_with_gradient"].mean()),
    }


def problem_table(outcome: Measured) -> pa.Table:
    """What is known of each measured problem, in the order of the data."""
    problems = outcome.problems.at(outcome.measured)
    metrics = outcome.metrics.table()
    own = {name: problems[name] for name in ("problem_id", "data_source", "data_idx")}
    text = {name: strings(problems[name]) for name in ("prompt", "ground_truth")}
    columns = {name: metrics[name] for name in metrics.column_names if name != "problem_id"}
    origin = {name: problems[name] for name in ("file", "position")}  # of the original row
    bucket = outcome.buckets.labels()
    return pa.table({**own, **text, "bucket": bucket, **columns, **origin})


def show_summary(outcome: Measured, written: Sequence[Written]) -> None:
    """Print the distribution of difficulty, buckets, sources and files."""
    show_difficulty(outcome)
    _print_parts(outcome, _buckets, _split_ties, _sources, _more_sources)
    show_files(outcome, written)


def show_difficulty(outcome: Measured) -> None:
    """Print how many problems there are and how often the model solves them."""
    _print_parts(outcome, _headline, _distribution, _without_gradient, _truncated)


def show_files(outcome: Measured, written: Sequence[Written]) -> None:
    """Print what lies where."""
    del outcome
    if not written:
        return
    out = console()
    folder = shown(written[0].path.parent)
    # A path in one piece, to copy.
    out.print(Text.assemble(("Files", "bold"), f" in {folder}"), soft_wrap=True)
    out.print(_files(written))


def _print_parts(outcome: Measured, *parts: Callable[[Measured], RenderableType]) -> None:
    out = console()
    for part in parts:
        if shown_part := part(outcome):
            out.print(shown_part)
            out.print()


def _headline(outcome: Measured) -> Text:
    overall, counts = overall_statistics(outcome.metrics), outcome.metrics["n"]
    fewest, most = int(counts.min()), int(counts.max())
    each = f"{fewest} each" if fewest == most else f"{fewest} to {most} each"
    return Text.assemble(
        (f"\n{outcome.label}\n", "dim"),
        (f"{overall['total_problems']:,} problems", "bold"),
        f"   {overall['total_rollouts']:,} rollouts ({each})",
        f"   mean pass rate {overall['mean_pass_rate']:.2f}",
    )


def _distribution(outcome: Measured) -> Table:
    """Problems by pass rate; never and always solved stand alone, for they carry no gradient."""
    rate = _pass_rate(outcome)
    table = plain_table("How often the model solves them", "pass rate")
    table.add_column("problems", justify="right")
    table.add_bars()
    between = (rate > 0) & (rate < 1)
    groups = [("never", rate == 0)]
    for low in range(0, 100, 20):
        inside = between & (rate > low / 100) & (rate <= (low + 20) / 100)
        groups.append((f"{low} to {low + 20} %", inside))
    groups.append(("always", rate == 1))
    most = max(int(inside.sum()) for _, inside in groups)
    for name, inside in groups:
        count = int(inside.sum())
        style = "dim" if name in ("never", "always") else "cyan"
        table.add_row(name, f"{count:,}", Text(_bar(count, most), style))
    return table


def _truncated(outcome: Measured) -> str:
    """How many rollouts were cut off; nothing where none was."""
    truncated, rollouts = outcome.metrics["truncated"].sum(), outcome.metrics["n"].sum()
    if not truncated:
        return ""
    share = percent(truncated / rollouts, 1)
    return (
        f" {truncated:,.0f} of {rollouts:,.0f} rollouts ({share}) were cut off by the limit of new "
        "tokens: they may be unfinished, not wrong."
    )


def _without_gradient(outcome: Measured) -> str:
    alike = outcome.metrics.complete("std_reward") == 0
    share = percent(outcome.metrics["groups_with_gradient"].mean())
    size = outcome.metrics.group_size
    return (
        f" {alike.sum():,} problems ({percent(alike.mean())}) gave all their rollouts the same "
        f"reward.\n Of groups of {size} rollouts {share} would carry a gradient."
    )


def _buckets(outcome: Measured) -> Table:
    metrics = outcome.metrics
    table = plain_table(f"Buckets: {outcome.bucketing}{_cut_on(outcome)}")
    for name in ("bucket", "problems", "mean pass rate", "from", "to", "gradient"):
        table.add_column(name, justify="left" if name == "bucket" else "right")
    table.add_bars()
    for i, (name, numbers) in enumerate(bucket_statistics(outcome).items()):
        label = Text(name, COLORS[min(i, len(COLORS) - 1)])
        if not numbers["count"]:
            table.add_row(label, "0", "", "", "", "", "")
            continue
        cells = [numbers[k] for k in ("mean_pass_rate", "lowest_pass_rate", "highest_pass_rate")]
        bar = Text(_bar(numbers["count"], len(metrics)), label.style)
        told = [*(f"{each:.2f}" for each in cells), percent(numbers["groups_with_gradient"])]
        table.add_row(label, f"{numbers['count']:,}", *told, bar)
    return table


def _split_ties(outcome: Measured) -> str:
    """How many problems only a hash keeps apart; nothing where none is."""
    cuts = outcome.buckets.cuts
    if not outcome.buckets.splits_ties or cuts is None:
        return ""
    names, bucket = outcome.buckets.names, outcome.buckets.assignment
    cut = np.array([name != UNKNOWN for name in names])[bucket]
    hardness = outcome.metrics.hardness(cuts.metric)[cut]
    values, value = np.unique(hardness, return_inverse=True)
    sizes = np.bincount(value * len(names) + bucket[cut], minlength=len(values) * len(names))
    sizes = sizes.reshape(len(values), len(names))
    tied = int(sizes[(sizes > 0).sum(axis=1) > 1].sum())
    if not tied:
        return ""
    return (
        f" {tied:,} problems share their {cuts.metric} with problems of another bucket: equal\n"
        " sizes split such ties by a hash of the id. bucketer=pass_rate keeps them together."
    )


def _sources(outcome: Measured) -> Table:
    """Sources by buckets, with their means; of many those with the most problems."""
    (names, source), buckets = encoded(outcome), outcome.buckets
    count = len(buckets.names)
    sizes = np.bincount(source * count + buckets.assignment, minlength=len(names) * count)
    statistics = source_statistics(outcome)
    order = list(range(len(names)))
    if len(names) > SOURCES:
        order = sorted(order, key=lambda i: -statistics[names[i]]["count"])[:SOURCES]
    table = plain_table("Sources", "source")
    for name in ("problems", "mean pass rate", "gradient", *buckets.names):
        table.add_column(name, justify="right")
    for i in order:
        means = statistics[names[i]]
        told = [f"{means['mean_pass_rate']:.2f}", percent(means["groups_with_gradient"])]
        cells = [f"{size:,}" if size else "·" for size in sizes.reshape(-1, count)[i]]
        table.add_row(names[i], f"{means['count']:,}", *told, *cells)
    return table


def _more_sources(outcome: Measured) -> str:
    """Where those are that the table has no room for; nothing where it has all."""
    more = len(encoded(outcome)[0]) - SOURCES
    return f" and {more:,} sources with fewer problems: {RESULT}, sources" if more > 0 else ""


def _files(written: Sequence[Written]) -> Table:
    table = plain_table(None, header=False)
    for path, what in written:
        table.add_row(path.name, Text(what, "dim"))
    return table


def _cut_on(outcome: Measured) -> str:
    cuts = outcome.buckets.cuts
    return f" of {cuts.metric}" if cuts and cuts.metric != outcome.bucketing else ""


def percent(share: float, digits: int = 0) -> str:
    """A share for people: 12 %."""
    return f"{share:.{digits}%}".replace("%", " %")


def _pass_rate(outcome: Measured) -> Floats:
    return np.asarray(outcome.metrics["c"] / outcome.metrics["n"])


def _bar(count: float, most: float) -> str:
    return "█" * max(round(BAR * count / most), 1 if count else 0) if most else ""
