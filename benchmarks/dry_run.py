"""Does a dry run know which curriculum learns faster? Its order of samplers against real training.

    python benchmarks/dry_run.py SWEEP_FOLDER ...

of sweeps like sweeps/proof.yaml: for the arms of each setting that were measured beforehand, the
mean over time of the simulated pass rate against that of the held-out one, rank by rank (Spearman),
means over the seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from curriculum.config.build import build, typed
from curriculum.core.names import METRICS
from curriculum.core.prompts import Prompts
from curriculum.core.terminal import console, plain_table
from curriculum.samplers import Guards
from curriculum.trainers import DryRun, Schedule, Training
from curriculum.trainers.parts.journal import RATE

SEEDS = 3  # simulated


class Job(NamedTuple):
    """A real training, and what a dry run of it is made of."""

    folder: Path
    setting: str
    result: dict[str, Any]

    @property
    def sampler(self) -> str:
        """The option."""
        return str(self.result["choices"]["sampler"])

    def real(self) -> float:
        """Mean of the held-out pass rate over the rollouts of the training."""
        table = pd.read_parquet(self.folder / METRICS).dropna(subset=RATE)
        x, y = table["rollouts"].to_numpy(), table[RATE].to_numpy()
        return float(np.trapezoid(y, x) / (x[-1] - x[0]))

    def simulated(self, seed: int) -> float:
        """The same of a dry run's pass rate over all prompts."""
        cfg = self.result["config"]
        guards = {key: cfg["sampler"][key] for key in Guards.__dataclass_fields__}
        schedule = {key: cfg["trainer"][key] for key in Schedule.__dataclass_fields__}
        training = Training(
            build(cfg, "sampler"),
            self.sampler,
            typed(Guards, guards, "sampler"),
            typed(Schedule, schedule, "trainer"),
            seed,
            threshold=0.5,
            strict=False,
            files=[],
            tasks=lambda: _none(),
        )
        prompts = Prompts.load(self.folder).training_side()
        return float(DryRun().simulate(prompts, training).pass_rates.mean())


def _none() -> Any:
    raise NotImplementedError  # a dry run asks no model anything


def jobs_of(sweep: Path) -> list[Job]:
    """Those that measured beforehand."""
    found = []
    for path in sorted(sweep.glob("*/result.json")):
        result = json.loads(path.read_text())
        overrides = dict(each.split("=", 1) for each in result["overrides"] if "=" in each)
        if result["status"] == "completed" and result["choices"]["budget"] == "fixed":
            found.append(Job(path.parent, overrides.get("proof.setting", sweep.name), result))
    return found


def main() -> None:
    """Print a row a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweeps", nargs="+", type=Path)
    logging.disable(logging.WARNING)
    of_setting: dict[str, dict[str, list[Job]]] = defaultdict(lambda: defaultdict(list))
    for sweep in parser.parse_args().sweeps:
        for job in jobs_of(sweep):
            of_setting[job.setting][job.sampler].append(job)
    table = plain_table("Order of the samplers, best first", "setting", "trained", "simulated", "")
    for setting, arms in sorted(of_setting.items()):
        real = {name: float(np.mean([job.real() for job in jobs])) for name, jobs in arms.items()}
        simulated = {
            name: float(np.mean([jobs[0].simulated(seed) for seed in range(SEEDS)]))
            for name, jobs in arms.items()
        }
        orders = [sorted(each, key=lambda name: -each[name]) for each in (real, simulated)]
        agreement = spearmanr(list(real.values()), [simulated[name] for name in real]).statistic
        table.add_row(setting, *(", ".join(each) for each in orders), f"{agreement:+.2f}")
    console().print(table)


if __name__ == "__main__":
    main()
