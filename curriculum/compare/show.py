"""The comparison of curricula on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from curriculum.compare.paired import LEVEL
from curriculum.core.terminal import console, plain_table


def show(settings: Sequence[dict[str, Any]]) -> None:
    """Print the comparison of each setting."""
    out = console()
    for found in settings:
        where = f": {found['setting']}" if found["setting"] else ""
        out.print(f"\nCurricula at {found['rollouts']:,.0f} rollouts{where}", style="bold")
        out.print(f" {found['label']}", style="dim")
        if found["simulated"]:
            out.print(_tabulate_draws(found))
        else:
            if any(row["more"] is not None for row in found["arms"]):
                out.print(" beyond: more than the control, in the same seeds", style="dim")
            out.print(_tabulate(found))
            if any(row["targets"] for row in found["arms"]):
                out.print(_tabulate_targets(found))
        out.print(f" {found['verdict']}")


def _tabulate_draws(found: dict[str, Any]) -> Table:
    """What was drawn; of a simulation no more is told."""
    table = plain_table(None, "")
    for name in ("gradient", "never drawn", "most draws", "seeds"):
        table.add_column(name, justify="right")
    for row in found["arms"]:
        table.add_row(
            _named(row),
            f"{row['groups_with_gradient']:.0%}",
            f"{row['never_drawn']:,.0f}",
            f"{row['most_draws']:,.0f}",
            str(row["seeds"]),
        )
    return table


def _named(row: dict[str, Any]) -> str:
    return f"{row['arm']} (control)" if row["control"] else str(row["arm"])


def _tabulate(found: dict[str, Any]) -> Table:
    table = plain_table(None, "")
    columns = (
        "gain",
        "beyond",
        f"{LEVEL:.0%} interval".replace("%", " %"),
        f"until +{found['gain_wanted']:g}",
    )
    for name in (*columns, "gradient", "never drawn", "seeds"):
        table.add_column(name, justify="right")
    for row in found["arms"]:
        bounds = (
            "" if row["more_low"] is None else f"{row['more_low']:+.3f} {row['more_high']:+.3f}"
        )
        until = row["rollouts_to_gain"]
        table.add_row(
            _named(row),
            f"{row['gain']:.3f}",
            "" if row["more"] is None else f"{row['more']:+.3f}",
            bounds,
            _tell_rollouts(until, row["seeds"], row["reached"]),
            f"{row['groups_with_gradient']:.0%}",
            f"{row['never_drawn']:,.0f}",
            str(row["seeds"]),
        )
    return table


def targets_of(arms: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Rollouts until each pass rate over the control's; of measured arms, also those in all."""
    rows = []
    for row in arms:
        kinds = {_named(row): "ratio"}
        if row.get("measured_rollouts") and not row["control"]:
            kinds[f"{row['arm']}, with {row['measured_rollouts']:,} measured"] = "spent"
        for name, kind in kinds.items():
            targets = {
                f"{target['pass_rate']:g}": tell_target(target, kind)
                for target in row.get("targets", ())
            }
            rows += [{"rollouts until": name, **targets}] if targets else []
    return rows


def _tabulate_targets(found: dict[str, Any]) -> Table:
    title = "Rollouts until a held-out pass rate, the control's being 1"
    table = plain_table(title, "")
    rows = targets_of(found["arms"])
    for name in list(rows[0])[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row.values())
    return table


def tell_target(target: dict[str, Any], name: str) -> str:
    """A ratio, its interval, and how many seeds reached it; of the control its rollouts."""
    there = f"{target['reached']}/{target['seeds']}"
    if name not in target:  # the control
        return f"{target['rollouts']:,.0f} {there}" if target["rollouts"] else there
    if target[name] is None:
        return there
    low, high = target[f"{name}_low"], target[f"{name}_high"]
    bounds = f" [{low:.2f} {high:.2f}]" if low is not None else ""
    return f"{target[name]:.2f}{bounds} {there}"


def _tell_rollouts(rollouts: float | None, seeds: int, reached: int) -> str:
    if rollouts is not None:
        return f"{rollouts:,.0f}"
    return f"by {reached} of {seeds}" if reached else "not reached"
