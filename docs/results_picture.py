"""Draw docs/results.png: `python docs/results_picture.py docs/results.png SWEEP_FOLDER ...`."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from curriculum.compare.arms import collect_arms
from curriculum.compare.charts import curves
from curriculum.compare.runs import name_choices, read_run
from curriculum.core.charts import DISTINCT, GREY
from curriculum.integrations.vega import Panel, save_picture
from curriculum.sweep import jobs

SHOWN = {  # arms of sweeps/proof.yaml, and how they are called
    "uniform": "uniform (control)",
    "frontier budget=none": "frontier, nothing measured",
    "reward_level budget=none": "reward_curriculum by level, nothing measured",
    "thompson budget=fixed": "thompson, measured",
}

path, *sweeps = sys.argv[1:]
panels = []
for sweep in map(Path, sweeps):
    folders = jobs.folders(sweep, jobs.planned(sweep))
    runs = [read_run(folder) for folder in folders]
    name_choices(runs)
    arms = {arm.name: arm for arm in collect_arms(folders, runs)}
    shown = [replace(arms[name], name=told) for name, told in SHOWN.items() if name in arms]
    rollouts = min(curve.rollouts[-1] for arm in shown for curve in arm.curves)
    spec = curves(shown, [GREY, *DISTINCT], float(rollouts), of="held-out pass rate")
    setting = json.loads((folders[0] / "result.json").read_text())["overrides"][0]
    panels.append(Panel(setting.partition("=")[2], spec, [arm.name for arm in shown]))
title = "Held-out pass rate over all rollouts spent; bands: 90 % intervals over five seeds"
save_picture(Path(path), title, "real training of very small models", panels, 3, 330)
