"""Curricula compared at equal rollouts, with intervals over seeds, the control first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curriculum.compare.paired import Estimate, estimate
from curriculum.core.names import CONTROL, METRICS
from curriculum.core.records import Floats
from curriculum.samplers import Guards
from curriculum.trainers.parts.journal import RATE

GRADIENT = "groups_with_gradient"
GUARDS = {f"sampler.{each.name}" for each in fields(Guards)}  # they hold for the control too
# Of the configuration: their sweep compares curricula.
GROUPS = ("sampler", "trainer", "seed", "budget")
MEASURING = ("budget=", "budget.", "num_samples=")  # overrides that say what is known beforehand


@dataclass(frozen=True)
class Curve:
    """How one training went: of a run's sampler, or of the control beside it."""

    seed: int
    rollouts: Floats  # (T,) after each step at which it was measured, from 0
    rates: Floats  # (T,) mean pass rate of what is held out; simulated: groups with a gradient
    summary: dict[str, Any]
    label: str  # what the rates are of
    gain_wanted: float | None  # None: simulated

    @property
    def measured(self) -> int:
        """Rollouts that were made before the training."""
        return int(self.summary.get("measured_rollouts", 0))

    def gain(self, rollouts: float) -> float:
        """Of the mean pass rate, after so many rollouts of the training."""
        return float(np.interp(rollouts, self.rollouts, self.rates) - self.rates[0])


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

    @property
    def simulated(self) -> bool:
        """Whether no model was trained."""
        return self.curves[0].gain_wanted is None

    def levels(self, rollouts: Floats) -> Floats:
        """(seeds, T) rates after so many rollouts."""
        return np.array([np.interp(rollouts, each.rollouts, each.rates) for each in self.curves])

    def gains(self, rollouts: Floats) -> Floats:
        """(seeds, T) after so many rollouts of the training."""
        return np.array([[curve.gain(each) for each in rollouts] for curve in self.curves])

    def mean(self, key: str) -> float:
        """Over the seeds, of a number of the summary; NaN where a seed has none."""
        values = [curve.summary[key] for curve in self.curves]
        return float(np.mean([np.nan if value is None else value for value in values]))

    def beside(self, other: Arm) -> list[tuple[Curve, Curve]]:
        """Its curves and those of another arm, of the seeds that both have."""
        theirs = {curve.seed: curve for curve in other.curves}
        return [(own, theirs[own.seed]) for own in self.curves if own.seed in theirs]

    def more_than(self, other: Arm, rollouts: float, looks: int) -> Estimate:
        """How much more it gains, paired by seed."""
        pairs = self.beside(other)
        return estimate([a.gain(rollouts) - b.gain(rollouts) for a, b in pairs], looks)


def collect_arms(folders: Sequence[Path], runs: Sequence[dict[str, Any]]) -> list[Arm]:
    """The arms of a sweep, setting by setting, controls first, in the order of the runs."""
    curves: dict[tuple[str, str, str], dict[int, Curve]] = defaultdict(dict)
    every = zip(folders, runs, strict=True)
    done = [(folder, run) for folder, run in every if run.get("training", {}).get("arms")]
    common = set.intersection(*(set(run["overrides"]) for _, run in done)) if done else set()
    for folder, run in done:
        varied = [override.lstrip("+") for override in run["overrides"] if override not in common]
        training = run["training"]
        trained = "simulation" not in training
        kinds = ("sampler.", *MEASURING) if trained else ("sampler.",)
        of_sampler = [override for override in varied if override.startswith(kinds)]
        guards = [override for override in of_sampler if override.partition("=")[0] in GUARDS]
        chosen = (f"sampler={run['sampler']}", f"seed={run['seed']}")
        setting = [override for override in varied if override not in (*of_sampler, *chosen)]
        table = pd.read_parquet(folder / METRICS)
        for option, summary in training["arms"].items():
            is_own = option == run["sampler"]
            name = " ".join([option, *(of_sampler if is_own and option != CONTROL else guards)])
            prefix = "" if is_own else "control/"
            column = f"{prefix}{RATE if trained else GRADIENT}"
            measured = table.dropna(subset=column)  # not every step is
            curve = Curve(
                run["seed"],
                measured["rollouts"].to_numpy(),
                measured[column].to_numpy(),
                summary,
                f"mean pass rate {training['measured']}" if trained else training["simulation"],
                training.get("gain_wanted"),
            )
            of_arm = curves[" ".join(setting), " ".join(guards), name]
            other = of_arm.get(run["seed"], curve)
            # The control takes no notice of what was measured, so it need not have been.
            of_arm[run["seed"]] = min(other, curve, key=lambda each: each.measured)
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
            curves[arm.setting].append(tuple(curve.rates.tobytes() for curve in arm.curves))
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


def _group_of(override: str) -> str:
    return override.partition("=")[0].lstrip("+~").split(".")[0].split("@")[0]
