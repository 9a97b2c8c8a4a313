"""Dry runs in this process, where the door of run.py is not what is tested."""

import json
from pathlib import Path

import pandas as pd
import pytest

from curriculum.config.training import expanded
from curriculum.run import pipeline
from curriculum.run.context import Context


class Done:
    """What a run has left in its folder; of its training nothing where there was none."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.result = json.loads((folder / "result.json").read_text())
        if "training" not in self.result:
            return
        self.training = self.result["training"]
        self.steps = pd.read_parquet(folder / "metrics.parquet")
        lines = (folder / "events.jsonl").read_text().splitlines()
        self.events = [json.loads(line) for line in lines]

    def shares(self, kind, prefix=""):
        """Columns like bucket/easy, after each step."""
        start = f"{prefix}{kind}/"
        names = [name for name in map(str, self.steps) if name.startswith(start)]
        return self.steps[names].iloc[1:].rename(columns=lambda name: name.removeprefix(start))


@pytest.fixture(scope="session")
def done():
    return Done


@pytest.fixture
def dry_run(composed_values, store, tmp_path):
    """`python run.py ...` in this process, in a new folder unless told; raises what ends it."""

    def dry_run(*overrides, name=None):
        folder = tmp_path / (name or f"run{len(list(tmp_path.iterdir()))}")
        folder.mkdir(exist_ok=True)
        own = (f"output_dir={folder}", f"store_dir={store}")
        by_preset = any(override.startswith("preset=") for override in overrides)
        named = expanded([*([] if by_preset else ["trainer=dry_run"]), *overrides])
        cfg = composed_values(*named, *own)
        given = dict(each.split("=", 1) for each in named)
        default = {
            "reward": "auto",
            "metric": "mean_reward",
            "bucketer": "pass_rate",
            "sampler": "none",
            "trainer": "none",
            "data": "demo",
        }
        choices = {group: given.get(group, option) for group, option in default.items()}
        context = Context.of(cfg, folder, choices, overrides, show=True)
        pipeline.run(cfg, context)
        context.ledger.write()
        return Done(folder)

    return dry_run


@pytest.fixture
def write_problems(tmp_path):
    """JSONL of problems: (source, prompt, passes of 8, extra_info) each; the overrides for it."""

    def write_problems(rows):
        path = tmp_path / "problems.jsonl"
        lines = [
            {
                "prompt": prompt,
                "data_source": source,
                "extra_info": extra,
                "reward": [{"score": int(i < passes)} for i in range(8)],
            }
            for source, prompt, passes, extra in rows
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return "data=rollouts", f"data.path={path}"

    return write_problems
