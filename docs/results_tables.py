"""Print the tables of docs/results.md: `python docs/results_tables.py SWEEP_FOLDER ...`."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

SHOWN = {  # arms of sweeps/proof.yaml, and how they are called
    "uniform": "`uniform`, rollouts",
    "frontier budget=none": "`frontier`",
    "reward_level budget=none": "`reward_level`",
    "thompson budget=none": "`thompson`, nothing measured",
    "learnability budget=none": "`learnability`, nothing measured",
    "frontier budget=fixed": "`frontier`, measured",
    "thompson budget=fixed": "`thompson`, measured",
    "learnability budget=fixed": "`learnability`, measured",
}
COUNTED = "thompson budget=fixed"  # measuring is counted for this one


def cell(target: dict[str, Any], key: str) -> str:
    """A ratio with its interval, or the control's rollouts, and in how many seeds it got there."""
    there = f"({target['reached']}/{target['seeds']})"
    if key not in target:
        return f"{target['rollouts']:,.0f} {there}" if target["rollouts"] else there[1:-1]
    if target[key] is None:
        return f"- {there}"
    low, high = target[f"{key}_low"], target[f"{key}_high"]
    said = f"{target[key]:.2f}" + (f" [{low:.2f}, {high:.2f}]" if low is not None else "")
    if target["pairs"] < target["reached"]:
        there = f"({target['pairs']} {'pair' if target['pairs'] == 1 else 'pairs'})"
    return said if target["pairs"] == target["seeds"] else f"{said} {there}"


def row(*cells: str) -> None:
    """A line of a table."""
    print("| " + " | ".join(cells) + " |")


def head(*cells: str) -> None:
    """Its first two lines."""
    row(*cells)
    row(*["---"] * len(cells))


def results(arms: dict[str, dict[str, Any]]) -> None:
    """Rollouts to the pass rates, and what came of it at the end."""
    targets = [f"to {each['pass_rate']:g}" for each in arms["uniform"]["targets"]]
    head("", *targets, "at the end, beyond `uniform`", "groups with a gradient")
    for name, told in SHOWN.items():
        if name not in arms:
            continue
        arm = arms[name]
        end = f"{arm['gain']:+.3f} in all"
        if not arm["control"]:
            end = f"{arm['more']:+.3f} [{arm['more_low']:+.3f}, {arm['more_high']:+.3f}]"
        ratios = [cell(target, "ratio") for target in arm["targets"]]
        row(told, *ratios, end, f"{arm['groups_with_gradient']:.0%}")
        if name == COUNTED:
            spent = [cell(target, "spent") for target in arm["targets"]]
            row(f"with {arm['measured_rollouts']:,.0f} measured", *spent, "", "")


def draws(sweep: Path) -> None:
    """Shares of the sources in what was drawn, the mean over steps and seeds."""
    shares: dict[str, list[pd.Series]] = defaultdict(list)
    for path in sweep.glob("*/result.json"):
        run = json.loads(path.read_text())
        steps = pd.read_parquet(path.parent / "metrics.parquet").filter(regex="^source/")
        budget = f" budget={run['choices']['budget']}"
        name = run["choices"]["sampler"] + (
            budget if run["choices"]["sampler"] != "uniform" else ""
        )
        shares[name].append(steps.mean())
    sources = [each.removeprefix("source/") for each in steps.columns]
    if len(sources) > 1:
        print("\nShare of the draws:\n")
        head("", *(f"`{source}`" for source in sources))
        for name, told in SHOWN.items():
            if name in shares:
                mean = pd.concat(shares[name], axis=1).mean(axis=1)
                row(told.removesuffix(", rollouts"), *(f"{each:.0%}" for each in mean))


for sweep in map(Path, sys.argv[1:]):
    (setting,) = json.loads((sweep / "comparison.json").read_text())["curricula"]
    arms = {arm["arm"]: arm for arm in setting["arms"]}
    print(f"\n### {sweep.name}\n")
    results(arms)
    draws(sweep)
    print("\nTrainings until measuring is paid for:", end=" ")
    for name, arm in arms.items():
        if arm["measured_rollouts"]:
            until = [each["runs_until_paid"] for each in arm["targets"]]
            print(name, [each and round(each) for each in until], end="; ")
    print(f"\n\n{setting['verdict']}")
