"""Curricula compared at equal rollouts, with intervals over seeds, the control first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curriculum.records import Floats
from curriculum.terminal import console, plain_table
from curriculum.tracking import METRICS

LEVEL = 0.9  # of the intervals
CONTROL = "uniform"
PLOT = "comparison.png"
GROUPS = ("sampler", "trainer", "seed")  # of the configuration, whose sweep compares curricula


@dataclass(frozen=True)
class Training:
    """One training: of a run's sampler, or of the control beside it."""

    seed: int
    rollouts: Floats  # (T,) after each step, from 0
    pass_rates: Floats  # (T,) mean over all prompts
    summary: dict[str, Any]

    def gain(self, rollouts: float) -> float:
        """Of the mean pass rate, after so many rollouts."""
        return float(np.interp(rollouts, self.rollouts, self.pass_rates) - self.pass_rates[0])


@dataclass(frozen=True)
class Arm:
    """The same curriculum with several seeds."""

    name: str
    trainings: list[Training]

    @property
    def is_control(self) -> bool:
        return self.name.split()[0] == CONTROL

    def interval(self, rollouts: float) -> tuple[float, float, float]:
        """Mean gain over the seeds and its interval, Student's; NaN bounds for a single seed."""
        mean, half = _mean_and_half(np.array([[each.gain(rollouts)] for each in self.trainings]))
        return float(mean[0]), float(mean[0] - half[0]), float(mean[0] + half[0])

    def mean(self, key: str) -> float:
        """Over the seeds, of a number of the summary; NaN where a seed has none."""
        values = [each.summary[key] for each in self.trainings]
        return float(np.mean([np.nan if value is None else value for value in values]))


def arms_of(folders: Sequence[Path], runs: Sequence[dict[str, Any]]) -> list[Arm]:
    """The arms of a sweep, controls first, in the order of the runs."""
    trainings: dict[tuple[str, ...], dict[int, Training]] = defaultdict(dict)
    done = [(folder, run) for folder, run in zip(folders, runs, strict=True) if "training" in run]
    common = set.intersection(*(set(run["overrides"]) for _, run in done)) if done else set()
    for folder, run in done:
        own = [each for each in run["overrides"] if each not in common and _group(each) != "seed"]
        table = pd.read_parquet(folder / METRICS)
        for option, summary in run["training"]["arms"].items():
            is_own = option == run["sampler"]
            prefix = "" if is_own else "control/"
            rest = [each for each in own if _group(each) != "sampler"]
            knobs = [each for each in own if _group(each) == "sampler" and "." in each] * is_own
            trainings[option, *knobs, *rest][run["seed"]] = Training(
                run["seed"],
                table["rollouts"].to_numpy(),
                table[f"{prefix}mean_pass_rate"].to_numpy(),
                summary,
            )
    arms = [Arm(" ".join(key), list(each.values())) for key, each in trainings.items()]
    return sorted(arms, key=lambda arm: not arm.is_control)


def worth_showing(runs: Iterable[dict[str, Any]]) -> tuple[bool, bool]:
    """Whether a sweep's runs differ in their buckets' making, and whether in their training."""
    overrides = [set(run["overrides"]) for run in runs]
    varied = {_group(each) for each in set.union(*overrides) - set.intersection(*overrides)}
    return not varied or bool(varied - set(GROUPS)), bool(varied & set(GROUPS))


def compared(arms: Sequence[Arm]) -> dict[str, Any]:
    """The comparison as JSON values."""
    rollouts = _equal_rollouts(arms)
    rows = []
    for arm in arms:
        mean, low, high = arm.interval(rollouts)
        row = {"arm": arm.name, "control": arm.is_control, "seeds": len(arm.trainings)}
        row |= {"gain": mean, "gain_low": low, "gain_high": high}
        keys = ("rollouts_to_gain", "groups_with_gradient", "never_drawn", "most_draws")
        rows.append(row | {key: arm.mean(key) for key in keys})
    none_for_nan = [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
        for row in rows
    ]
    return {"rollouts": rollouts, "level": LEVEL, "arms": none_for_nan, "verdict": verdict(rows)}


def verdict(rows: Sequence[dict[str, Any]]) -> str:
    """Which arm gains most, where the intervals tell."""
    if len(rows) < 2:
        return "There is one arm: nothing to compare it to."
    if any(row["seeds"] < 2 for row in rows):
        return "No winner can be told from one seed: sweep over some, like seed=1,2,3."
    best, *rest = sorted(rows, key=lambda row: -row["gain"])
    overlapping = [row["arm"] for row in rest if row["gain_high"] >= best["gain_low"]]
    if overlapping:
        told = f"No winner: the interval of {best['arm']} overlaps that of {_join(overlapping)}."
    else:
        told = f"{best['arm']} gains most: its interval overlaps no other."
    return told + _against_control(rows)


def _against_control(rows: Sequence[dict[str, Any]]) -> str:
    """Which arms gain more, or less, than the control; nothing unless there is one control."""
    controls = [row for row in rows if row["control"]]
    if len(controls) != 1:
        return ""
    low, high = controls[0]["gain_low"], controls[0]["gain_high"]
    more = [row["arm"] for row in rows if row["gain_low"] > high]
    less = [row["arm"] for row in rows if row["gain_high"] < low]
    told = [
        f"{what} than the control: {_join(a)}" for what, a in (("More", more), ("Less", less)) if a
    ]
    return f" {'. '.join(told)}." if told else " None differs from the control."


def show(found: dict[str, Any], gain_wanted: float, label: str | None) -> None:
    """Print the comparison."""
    out = console()
    out.print(f"\nCurricula at {found['rollouts']:,.0f} rollouts", style="bold")
    if label:
        out.print(f" {label}", style="dim")
    table = plain_table(None, "")
    columns = (
        "gain",
        f"{LEVEL:.0%} interval".replace("%", " %"),
        f"until +{gain_wanted:g}",
    )
    for name in (*columns, "gradient", "never drawn", "most draws", "seeds"):
        table.add_column(name, justify="right")
    for row in found["arms"]:
        bounds = "" if row["gain_low"] is None else f"{row['gain_low']:.3f} {row['gain_high']:.3f}"
        until = row["rollouts_to_gain"]
        table.add_row(
            row["arm"] + (" (control)" if row["control"] else ""),
            f"{row['gain']:.3f}",
            bounds,
            "not by all" if until is None else f"{until:,.0f}",
            f"{row['groups_with_gradient']:.0%}",
            f"{row['never_drawn']:,.0f}",
            f"{row['most_draws']:,.0f}",
            str(row["seeds"]),
        )
    out.print(table)
    out.print(f" {found['verdict']}")
    if not any(row["control"] for row in found["arms"]):
        out.print(f" There is no control: sweep over sampler={CONTROL} too.")


def plot(arms: Sequence[Arm], label: str | None, path: Path) -> None:
    """Draw the mean pass rates of all arms over rollouts, with the seeds' intervals."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    figure = Figure(figsize=(9, 5.4), layout="constrained", dpi=110)
    axes = figure.subplots()
    for i, arm in enumerate(arms):
        shortest = min((each.rollouts for each in arm.trainings), key=len)
        curves = np.stack([each.pass_rates[: len(shortest)] for each in arm.trainings])
        look: dict[str, Any] = (
            {"color": "0.35", "linestyle": "--"} if arm.is_control else {"color": f"C{i}"}
        )
        mean, half = _mean_and_half(curves)
        axes.plot(shortest, mean, label=arm.name, zorder=3, **look)
        axes.fill_between(shortest, mean - half, mean + half, color=look["color"], alpha=0.15)
    bands = f"bands: {LEVEL:.0%} intervals over the seeds".replace("%", " %")
    axes.set_title(f"Mean pass rate over all prompts; {bands}", loc="left")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("rollouts")
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    if label:
        figure.suptitle(label, fontsize=10)
    figure.savefig(path)


def _mean_and_half(values: Floats) -> tuple[Floats, Floats]:
    """(T,) means of (seeds, T) and half the width of their Student intervals, NaN for one seed."""
    from scipy.stats import t

    mean, n = values.mean(0), len(values)
    if n < 2:
        return mean, np.full(len(mean), np.nan)
    return mean, t.ppf((1 + LEVEL) / 2, n - 1) * values.std(0, ddof=1) / np.sqrt(n)


def _equal_rollouts(arms: Sequence[Arm]) -> float:
    return float(min(each.rollouts[-1] for arm in arms for each in arm.trainings))


def _group(override: str) -> str:
    return override.partition("=")[0].lstrip("+~").split(".")[0].split("@")[0]


def _join(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))
