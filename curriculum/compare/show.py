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
        if any(row["more"] is not None for row in found["arms"]):
            out.print(" beyond: more than the control, in the same seeds", style="dim")
        out.print(_tabulate(found))
        if any(row["targets"] for row in found["arms"]):
            out.print(_tabulate_targets(found))
        out.print(f" {found['verdict']}")


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
            row["arm"] + (" (control)" if row["control"] else ""),
            f"{row['gain']:.3f}",
            "" if row["more"] is None else f"{row['more']:+.3f}",
            bounds,
            _tell_rollouts(until, row["seeds"], row["reached"]),
            f"{row['groups_with_gradient']:.0%}",
            f"{row['never_drawn']:,.0f}",
            str(row["seeds"]),
        )
    return table


def _tabulate_targets(found: dict[str, Any]) -> Table:
    """Rollouts until each pass rate over the control's; of measured arms, also those in all."""
    title = "Rollouts until a held-out pass rate, the control's being 1"
    table = plain_table(title, "")
    for target in found["arms"][0]["targets"]:
        table.add_column(f"{target['pass_rate']:g}", justify="right")
    for row in found["arms"]:
        cells = [tell_target(target, "ratio") for target in row["targets"]]
        table.add_row(row["arm"] + (" (control)" if row["control"] else ""), *cells)
        if row["measured_rollouts"] and not row["control"]:
            spent = [tell_target(target, "spent") for target in row["targets"]]
            table.add_row(f"  with {row['measured_rollouts']:,} measured", *spent)
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
