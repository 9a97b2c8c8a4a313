"""Curricula compared at equal rollouts, with intervals over seeds, the control first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from curriculum.core.names import CONTROL, METRICS
from curriculum.core.records import Floats
from curriculum.core.terminal import console, plain_table
from curriculum.samplers import Guards
from curriculum.trainers.parts.journal import RATE

LEVEL = 0.9  # of the intervals
GUARDS = {f"sampler.{each.name}" for each in fields(Guards)}  # they hold for the control too
GROUPS = ("sampler", "trainer", "seed")  # of the configuration, whose sweep compares curricula


@dataclass(frozen=True)
class Curve:
    """How one training went: of a run's sampler, or of the control beside it."""

    seed: int
    rollouts: Floats  # (T,) after each step at which it was measured, from 0
    pass_rates: Floats  # (T,) mean over all prompts, or those held out
    summary: dict[str, Any]
    label: str  # what the pass rates are of
    gain_wanted: float

    def gain(self, rollouts: float) -> float:
        """Of the mean pass rate, after so many rollouts."""
        return float(np.interp(rollouts, self.rollouts, self.pass_rates) - self.pass_rates[0])


@dataclass(frozen=True)
class Arm:
    """The same curriculum with several seeds.

    Only arms of the same setting are compared: the same problems, buckets and trainer.
    """

    name: str
    setting: str  # overrides of all but the sampler, where a sweep has several
    guards: str  # likewise; the control that an arm is held against has the same
    is_control: bool
    curves: list[Curve]

    def interval(self, rollouts: float) -> tuple[float, float, float]:
        """Mean gain over the seeds and its interval, Student's; NaN bounds for a single seed."""
        mean, half = _estimate(np.array([[curve.gain(rollouts)] for curve in self.curves]))
        return float(mean[0]), float(mean[0] - half[0]), float(mean[0] + half[0])

    def mean(self, key: str) -> float:
        """Over the seeds, of a number of the summary; NaN where a seed has none."""
        values = [curve.summary[key] for curve in self.curves]
        return float(np.mean([np.nan if value is None else value for value in values]))


def collect_arms(folders: Sequence[Path], runs: Sequence[dict[str, Any]]) -> list[Arm]:
    """The arms of a sweep, setting by setting, controls first, in the order of the runs."""
    curves: dict[tuple[str, str, str], dict[int, Curve]] = defaultdict(dict)
    every = zip(folders, runs, strict=True)
    done = [(folder, run) for folder, run in every if run.get("training", {}).get("arms")]
    common = set.intersection(*(set(run["overrides"]) for _, run in done)) if done else set()
    for folder, run in done:
        varied = [override.lstrip("+") for override in run["overrides"] if override not in common]
        of_sampler = [override for override in varied if override.startswith("sampler.")]
        guards = [override for override in of_sampler if override.partition("=")[0] in GUARDS]
        chosen = (f"sampler={run['sampler']}", f"seed={run['seed']}")
        setting = [override for override in varied if override not in (*of_sampler, *chosen)]
        table = pd.read_parquet(folder / METRICS)
        training = run["training"]
        for option, summary in training["arms"].items():
            is_own = option == run["sampler"]
            name = " ".join([option, *(of_sampler if is_own and option != CONTROL else guards)])
            prefix = "" if is_own else "control/"
            measured = table.dropna(subset=f"{prefix}{RATE}")  # not every step is
            curves[" ".join(setting), " ".join(guards), name][run["seed"]] = Curve(
                run["seed"],
                measured["rollouts"].to_numpy(),
                measured[f"{prefix}{RATE}"].to_numpy(),
                summary,
                training.get("simulation") or f"mean pass rate {training['measured']}",
                training["gain_wanted"],
            )
    arms = [
        Arm(name, setting, guards, name.split()[0] == CONTROL, list(each.values()))
        for (setting, guards, name), each in curves.items()
    ]
    arms = _merge_controls(arms)
    order = list(dict.fromkeys(arm.setting for arm in arms))
    return sorted(arms, key=lambda arm: (order.index(arm.setting), not arm.is_control))


def _merge_controls(arms: list[Arm]) -> list[Arm]:
    """The arms; a setting's controls as one, where the guards make no difference to any of them."""
    curves: dict[str, list[tuple[bytes, ...]]] = defaultdict(list)
    for arm in arms:
        if arm.is_control:
            curves[arm.setting].append(tuple(curve.pass_rates.tobytes() for curve in arm.curves))
    kept: dict[tuple[str, str], Arm] = {}
    for arm in arms:
        controls = curves[arm.setting]
        one = arm.is_control and len(controls) > 1 and len(set(controls)) == 1
        merged = replace(arm, name=CONTROL, guards="") if one else arm
        kept.setdefault((merged.setting, merged.name), merged)
    return list(kept.values())


def worth_showing(runs: Iterable[dict[str, Any]]) -> tuple[bool, bool]:
    """Whether a sweep's runs differ in their buckets' making, and whether in their training."""
    overrides = [set(run["overrides"]) for run in runs]
    varied = {_group_of(each) for each in set.union(*overrides) - set.intersection(*overrides)}
    return not varied or bool(varied - set(GROUPS)), bool(varied & set(GROUPS))


def compare_arms(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """The comparison as JSON values, one for each setting."""
    settings = dict.fromkeys(arm.setting for arm in arms)
    return [_compare_setting([arm for arm in arms if arm.setting == each]) for each in settings]


def _compare_setting(arms: Sequence[Arm]) -> dict[str, Any]:
    rollouts = float(min(curve.rollouts[-1] for arm in arms for curve in arm.curves))
    rows = []
    for arm in arms:
        mean, low, high = arm.interval(rollouts)
        row = {"arm": arm.name, "control": arm.is_control, "guards": arm.guards}
        reached = [curve.summary["rollouts_to_gain"] is not None for curve in arm.curves]
        row |= {"seeds": len(arm.curves), "reached": sum(reached)}
        row |= {"gain": mean, "gain_low": low, "gain_high": high}
        keys = ("rollouts_to_gain", "groups_with_gradient", "never_drawn", "most_draws")
        rows.append(row | {key: arm.mean(key) for key in keys})
    none_for_nan = [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
        for row in rows
    ]
    first = arms[0].curves[0]
    about = {"gain_wanted": first.gain_wanted, "label": first.label}
    about |= {"setting": arms[0].setting, "rollouts": rollouts, "level": LEVEL}
    return about | {"arms": none_for_nan, "verdict": judge(rows)}


def judge(rows: Sequence[dict[str, Any]]) -> str:
    """Which arm gains most, where the intervals tell."""
    if len(rows) < 2:
        return "There is one arm: nothing to compare it to."
    single = [row["arm"] for row in rows if row["seeds"] < 2]
    if single:
        return (
            f"No winner can be told: {_join(single)} ran with one seed. Sweep over some, like "
            "seed=1,2,3."
        )
    best, *rest = sorted(rows, key=lambda row: -row["gain"])
    overlapping = [row["arm"] for row in rest if row["gain_high"] >= best["gain_low"]]
    if overlapping:
        told = f"No winner: the interval of {best['arm']} overlaps that of {_join(overlapping)}."
    else:
        told = f"{best['arm']} gains most: its interval overlaps no other."
    return f"{told} {_judge_against_control(rows)}"


def _judge_against_control(rows: Sequence[dict[str, Any]]) -> str:
    """Which arms gain more, or less, than the control under the same guards."""
    controls = {row["guards"]: row for row in rows if row["control"]}
    if not controls:
        return f"There is no control: sweep over sampler={CONTROL} too."
    only = controls.get("")  # of all guards
    held = [(row, controls.get(row["guards"], only)) for row in rows if not row["control"]]
    more = [row["arm"] for row, other in held if other and row["gain_low"] > other["gain_high"]]
    less = [row["arm"] for row, other in held if other and row["gain_high"] < other["gain_low"]]
    told = [
        f"{what} than the control: {_join(arms)}."
        for what, arms in (("More", more), ("Less", less))
        if arms
    ]
    return " ".join(told) or "None can be told from the control."


def show(settings: Sequence[dict[str, Any]]) -> None:
    """Print the comparison of each setting."""
    out = console()
    for found in settings:
        where = f": {found['setting']}" if found["setting"] else ""
        out.print(f"\nCurricula at {found['rollouts']:,.0f} rollouts{where}", style="bold")
        out.print(f" {found['label']}", style="dim")
        out.print(_tabulate(found))
        out.print(f" {found['verdict']}")


def _tabulate(found: dict[str, Any]) -> Table:
    table = plain_table(None, "")
    columns = (
        "gain",
        f"{LEVEL:.0%} interval".replace("%", " %"),
        f"until +{found['gain_wanted']:g}",
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
            _tell_rollouts(until, row["seeds"], row["reached"]),
            f"{row['groups_with_gradient']:.0%}",
            f"{row['never_drawn']:,.0f}",
            f"{row['most_draws']:,.0f}",
            str(row["seeds"]),
        )
    return table


def _tell_rollouts(rollouts: float | None, seeds: int, reached: int) -> str:
    if rollouts is not None:
        return f"{rollouts:,.0f}"
    return f"by {reached} of {seeds}" if reached else "not reached"


def _estimate(values: Floats) -> tuple[Floats, Floats]:
    """(T,) means of (seeds, T) and half the width of their Student intervals, NaN for one seed."""
    from scipy.stats import t

    mean, n = values.mean(0), len(values)
    if n < 2:
        return mean, np.full(len(mean), np.nan)
    return mean, t.ppf((1 + LEVEL) / 2, n - 1) * values.std(0, ddof=1) / np.sqrt(n)


def _group_of(override: str) -> str:
    return override.partition("=")[0].lstrip("+~").split(".")[0].split("@")[0]


def _join(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
