"""What the arms of a setting come to, in numbers and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from curriculum.compare.arms import Arm, Curve
from curriculum.compare.paired import LEVEL, estimate, ratio
from curriculum.core.names import CONTROL
from curriculum.trainers.parts.simulated import GOOD_FOR


def compare_arms(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """The comparison as JSON values, one for each setting."""
    settings = dict.fromkeys(arm.setting for arm in arms)
    return [_compare_setting([arm for arm in arms if arm.setting == each]) for each in settings]


def _compare_setting(arms: Sequence[Arm]) -> dict[str, Any]:
    rollouts = float(min(curve.rollouts[-1] for arm in arms for curve in arm.curves))
    about = {"setting": arms[0].setting, "rollouts": rollouts, "level": LEVEL}
    about |= {"label": arms[0].curves[0].label, "simulated": arms[0].simulated}
    about["gain_wanted"] = arms[0].curves[0].gain_wanted
    rows = [_row(arm) for arm in arms]
    if arms[0].simulated:
        return about | {"arms": rows, "verdict": f"Simulated: {GOOD_FOR}."}
    against = _controls_of(arms)
    looks = sum(control is not None for control in against)
    for row, arm, control in zip(rows, arms, against, strict=True):
        row |= _gains(arm, control, rollouts, looks)
    told = [judge(arms, against, rollouts), *_judge_targets(rows)]
    return about | {"arms": _none_for_nan(rows), "verdict": " ".join(told)}


def _row(arm: Arm) -> dict[str, Any]:
    """What simulated arms have too: what was drawn, and what came of it."""
    row = {"arm": arm.name, "control": arm.is_control, "guards": arm.guards}
    keys = ("groups_with_gradient", "never_drawn", "most_draws")
    return row | {"seeds": len(arm.curves)} | {key: arm.mean(key) for key in keys}


def _controls_of(arms: Sequence[Arm]) -> list[Arm | None]:
    """What each arm is held against: the control under its guards, or under none."""
    controls = {arm.guards: arm for arm in arms if arm.is_control}
    only = controls.get("")
    return [None if arm.is_control else controls.get(arm.guards, only) for arm in arms]


def _gains(arm: Arm, control: Arm | None, rollouts: float, looks: int) -> dict[str, Any]:
    gain = estimate(arm.gains(np.array([rollouts]))[:, 0])
    more = control and arm.more_than(control, rollouts, looks)
    return {
        "reached": sum(curve.summary["rollouts_to_gain"] is not None for curve in arm.curves),
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "more": more.mean if more else None,
        "more_low": more.low if more else None,
        "more_high": more.high if more else None,
        "rollouts_to_gain": arm.mean("rollouts_to_gain"),
        "measured_rollouts": arm.curves[0].measured,
        "targets": _targets(arm, control, looks),
    }


def _judge_targets(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Which arms were sooner, or later, than the control at each pass rate that was asked for."""
    told = []
    for place, target in enumerate(rows[0]["targets"]):
        of_rows = [(row["arm"], row["targets"][place]) for row in rows]
        known = [(name, each) for name, each in of_rows if each.get("ratio_low") is not None]
        sooner = [name for name, each in known if each["ratio_high"] < 1]
        later = [name for name, each in known if each["ratio_low"] > 1]
        for names, what in ((sooner, "fewer"), (later, "more")):
            if names:
                told.append(f"With {what} rollouts than the control at {target['pass_rate']:g}: ")
                told[-1] += f"{_join(names)}."
    return told


def _none_for_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_none_for_nan(each) for each in value]
    if isinstance(value, dict):
        return {key: _none_for_nan(each) for key, each in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def _targets(arm: Arm, control: Arm | None, looks: int) -> list[dict[str, Any]]:
    """Of each pass rate that was asked for: rollouts until then, and of the control's share.

    `ratio` is of the training's rollouts, and so of its updates; `spent` of all rollouts, those of
    measuring included. Seeds in which either did not get there are in none of them.
    """
    found = []
    for place, target in enumerate(arm.curves[0].summary.get("rollouts_to") or []):
        own = [(_to(curve, place), curve.measured) for curve in arm.curves]
        there = [each for each, _ in own if each is not None]
        row = {"pass_rate": target["pass_rate"], "reached": len(there), "seeds": len(own)}
        row["rollouts"] = float(np.mean(there)) if there else None
        if control is not None:
            pairs = [(_to(a, place), _to(b, place), a.measured) for a, b in arm.beside(control)]
            both = [(a, b, before) for a, b, before in pairs if a and b]
            for name, values in (
                ("ratio", [(a, b) for a, b, _ in both]),
                ("spent", [(a + before, b) for a, b, before in both]),
            ):
                of = ratio(values, looks) if values else None
                row[name] = of.mean if of else None
                row |= {
                    f"{name}_low": of.low if of else None,
                    f"{name}_high": of.high if of else None,
                }
            row["pairs"] = len(both)
            row["runs_until_paid"] = _until_paid(both)
        found.append(row)
    return found


def _to(curve: Curve, place: int) -> float | None:
    reached: float | None = curve.summary["rollouts_to"][place]["rollouts"]
    return reached


def _until_paid(both: Sequence[tuple[float, float, int]]) -> float | None:
    """Trainings on the same problems after which measuring them has saved what it took."""
    if not both or not both[0][2]:
        return None
    saved = float(np.mean([b - a for a, b, _ in both]))
    return both[0][2] / saved if saved > 0 else None


def judge(arms: Sequence[Arm], against: Sequence[Arm | None], rollouts: float) -> str:
    """Which arm gains most, and which more or less than its control, where paired intervals tell.

    Args:
        against: the control of each arm; None: it is one, or there is none.
    """
    if len(arms) < 2:
        return "There is one arm: nothing to compare it to."
    pairs = list(combinations(arms, 2))
    if lonely := [arm.name for arm in arms if len(arm.curves) < 2]:
        return (
            f"No winner can be told: {_join(lonely)} ran with one seed. Sweep over some, like "
            "seed=1,2,3."
        )
    if any(len(one.beside(other)) < 2 for one, other in pairs):
        return "No winner can be told: arms are compared by seeds that they share, two at least."
    best = max(arms, key=lambda arm: float(arm.gains(np.array([rollouts])).mean()))
    rest = [arm for arm in arms if arm is not best]
    near = [arm.name for arm in rest if not best.more_than(arm, rollouts, len(pairs)).low > 0]
    told = (
        f"No winner: {best.name} can't be told from {_join(near)}."
        if near
        else f"{best.name} gains most: more than any other in the same seeds."
    )
    return f"{told} {_judge_against_control(arms, against, rollouts)}"


def _judge_against_control(
    arms: Sequence[Arm], against: Sequence[Arm | None], rollouts: float
) -> str:
    """Which arms gain more, or less, than the control under the same guards."""
    held = [(arm, control) for arm, control in zip(arms, against, strict=True) if control]
    if not any(arm.is_control for arm in arms):
        return f"There is no control: sweep over sampler={CONTROL} too."
    found = [(arm.name, arm.more_than(control, rollouts, len(held))) for arm, control in held]
    more = [name for name, than in found if than.low > 0]
    less = [name for name, than in found if than.high < 0]
    told = [
        f"{what} than the control: {_join(names)}."
        for what, names in (("More", more), ("Less", less))
        if names
    ]
    return " ".join(told) or "None can be told from the control."


def _join(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
