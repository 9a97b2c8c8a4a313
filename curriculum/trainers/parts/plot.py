"""`dry_run.png`: a dry run in six pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.names import CONTROL
from curriculum.core.records import Floats
from curriculum.trainers.parts.simulated import LABEL, Simulated

COLORS = {CONTROL: "0.45"}
OWN = "#1f6f8b"
EASY_TO_HARD = "RdYlGn_r"
LONGEST_NAME = 28
MOST_NAMES = 8  # in a legend


def plot(arms: Mapping[str, Simulated], path: Path) -> None:
    """Draw the first arm's mixes, and all arms' curves."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    name, own = next(iter(arms.items()))
    figure = Figure(figsize=(14.5, 7.2), layout="constrained", dpi=110)
    figure.suptitle(f"Dry run of {name}: {LABEL}", fontsize=11)
    (buckets, curve, gradient), (sources, draws, wasted) = figure.subplots(2, 3)
    _mix(buckets, own, own.bucket_mix, own.prompts.buckets, "Buckets in a batch", EASY_TO_HARD)
    _mix(sources, own, own.source_mix, own.prompts.sources, "Sources in a batch", "tab20")
    for arm_name, arm in arms.items():
        look: dict[str, Any] = {"color": COLORS.get(arm_name, OWN), "label": arm_name}
        curve.plot(arm.rollouts, arm.pass_rates, **look)
        gradient.plot(arm.rollouts[1:], _smooth(arm.with_gradient), **look)
        without = (1 - arm.with_gradient) * np.diff(arm.rollouts)
        wasted.plot(arm.rollouts[1:], np.cumsum(without), **look)
        most = max(int(each.draws.max()) for each in arms.values())
        edges = np.arange(0, most + 2) - 0.5 if most < 40 else np.linspace(-0.5, most + 0.5, 40)
        draws.hist(arm.draws, edges, histtype="step", linewidth=1.5, **look)
    for step in own.level_ups():
        curve.axvline(own.rollouts[step], color=OWN, linewidth=0.6, alpha=0.5)
    levels = " (lines: level-ups)" if own.level_ups() else ""
    _label(curve, f"Mean pass rate over all prompts{levels}", "rollouts", "")
    _label(gradient, "Groups with a gradient, share (running mean)", "rollouts", "")
    gradient.set_ylim(0, 1)
    _label(draws, "How often prompts were drawn", "draws of a prompt", "prompts")
    _label(wasted, "Rollouts spent on groups without a gradient", "rollouts", "")
    wasted.yaxis.set_major_formatter(EngFormatter(sep=""))
    for axes in (curve, gradient, wasted):
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    for axes in (curve, gradient, draws, wasted):
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


def _mix(
    axes: Any, arm: Simulated, mix: Floats, names: Sequence[str], title: str, colors: str
) -> None:
    from matplotlib import colormaps

    if len(names) > MOST_NAMES:
        rest = f"{len(names) - MOST_NAMES + 1} others"
        names = [*names[: MOST_NAMES - 1], rest]
        few, others = np.split(mix, [MOST_NAMES - 1], axis=1)
        mix = np.column_stack([few, others.sum(1)])
    shades = colormaps[colors](np.linspace(0.08, 0.92, len(names)))
    smooth = np.stack([_smooth(each) for each in mix.T])
    shown = [_short(name.lstrip("_")) for name in names]  # a leading _ hides a label
    steps = np.arange(1, len(mix) + 1)
    axes.stackplot(steps, smooth / smooth.sum(0), labels=shown, colors=shades, linewidth=0)
    for step in arm.level_ups():
        axes.axvline(step, color="black", linewidth=0.6, alpha=0.5)
    axes.set_xlim(1, max(len(mix), 2))
    axes.set_ylim(0, 1)
    _label(axes, f"{title} (running mean)", "batch", "share")
    handles, labels = axes.get_legend_handles_labels()
    where = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    axes.legend(handles[::-1], labels[::-1], fontsize=7, handlelength=1, **where)


def _label(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _smooth(values: Floats) -> Floats:
    """Means of up to eleven steps around each."""
    window = np.ones(11)
    total = np.convolve(values, window, "same")[: len(values)]
    count = np.convolve(np.ones(len(values)), window, "same")[: len(values)]
    return np.asarray(total / count)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"
