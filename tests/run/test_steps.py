"""A run goes as far as `until` says, and says what it found; what does nothing is refused."""

import json
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint

import pytest

from curriculum.core.errors import UserError
from curriculum.core.run_result import RunResult
from curriculum.core.summary import Written
from curriculum.layouts import Layout
from curriculum.rewards import Reward
from curriculum.run import pipeline, settings
from curriculum.run.checks import conforming
from curriculum.run.context import Context
from curriculum.store.entries import digest_of_source

CHOICES = {"reward": "auto", "metric": "mean_reward", "bucketer": "percentile"}
CHOICES |= {"sampler": "thompson", "generator": "replay"}


@pytest.fixture
def run_here(composed_values, tmp_path):
    """A run of 6 problems, 4 rollouts each, one line that can't be read; its folder."""
    path = tmp_path / "rollouts.jsonl"
    lines = [
        json.dumps({"prompt": f"q{i}", "reward": [1] * (i % 5) + [0] * (4 - i % 5)})
        for i in range(6)
    ]
    path.write_text("\n".join([*lines, "{", ""]))

    def run_here(*overrides, data=("data=rollouts", f"data.path={path}")):
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        asked = (*data, *overrides, f"output_dir={folder}", f"store_dir={tmp_path}/store")
        cfg = composed_values(*asked)
        context = Context.of(cfg, folder, CHOICES, overrides)
        pipeline.run(cfg, context)
        context.ledger.write()
        return folder

    return run_here


@pytest.mark.parametrize(
    ("until", "found", "files"),
    [
        ("problems", {"total_problems": 6}, set()),
        ("rewards", {"total_problems": 6, "total_rollouts": 24}, set()),
        ("metrics", {"total_rollouts": 24, "mean_pass_rate": 10 / 24}, set()),
        ("buckets", {"mean_pass_rate": 10 / 24}, {"buckets.json", "buckets.parquet"}),
        ("layouts", {"mean_reward": 10 / 24}, {"buckets.parquet", "problems.parquet"}),
    ],
)
def test_a_run_stops_where_it_is_told_to(run_here, until, found, files):
    folder = run_here(f"until={until}")
    result = RunResult.load(folder)
    assert result is not None
    assert result.status == "completed"
    assert {name: result.results[name] for name in found} == pytest.approx(found)
    assert result.counts["rejected_problems_rows"] == 1
    assert (folder / "rejects" / "problems_rows.jsonl").exists()
    there = {path.name for path in folder.iterdir()}
    assert files <= there
    later = {"buckets.parquet", "problems.parquet", "metrics.parquet", "dry_run.png"} - files
    assert not later & there


def test_there_is_no_other_step_to_stop_at(run_here):
    with pytest.raises(UserError, match=r"until=training.*problems.*layouts"):
        run_here("until=training")


@pytest.mark.parametrize("key", ["num_samples=8", "generator.seed=3", "budget.num_samples=2"])
def test_a_key_for_making_rollouts_is_refused_where_they_are_read(run_here, key):
    with pytest.raises(UserError, match=f"{key}.*generator=transformers"):
        run_here(key)


def test_keys_of_replay_are_none_of_these(run_here, tmp_path):
    folder = run_here("until=metrics", f"generator.path={tmp_path}/rollouts.jsonl")
    result = RunResult.load(folder)
    assert result is not None and result.results["total_rollouts"] == 24


@dataclass
class Bare:
    """Scores, and says nothing else of itself."""

    def score(self, samples):
        return [0.0 for _ in samples]


@dataclass
class Inheriting(Reward):
    """Has what is optional."""

    def score(self, samples):
        return [0.0 for _ in samples]


def test_a_reward_that_lacks_a_member_is_told_what_to_inherit():
    with pytest.raises(UserError, match=r"needs.*curriculum\.rewards\.Reward"):
        conforming(Bare(), Reward, "reward")
    assert conforming(Inheriting(), Reward, "reward").needs == ("response",)


@dataclass(frozen=True)
class Names(Layout):
    """The names of the buckets."""

    def write(self, outcome, folder, export):
        path = folder / f"{export.prefix}names.txt"
        path.write_text(" ".join(outcome.buckets.names))
        return [Written(path, "names")]


def test_a_plugin_adds_a_layout(run_here, monkeypatch):
    monkeypatch.setitem(sys.modules, "layout_of_ours", sys.modules[__name__])
    point = EntryPoint("names", "layout_of_ours:Names", "curriculum.layout")
    monkeypatch.setattr(settings, "plugins", lambda: {"layout": {"names": point}})
    folder = run_here("convention.layouts=[names]", "until=layouts", "export.prefix=the_")
    assert (folder / "the_names.txt").read_text() == "easy medium hard very_hard"
    result = RunResult.load(folder)
    assert result is not None and result.results["files"] == ["the_names.txt"]


def test_an_unknown_layout_is_an_error_that_names_those_there_are(run_here):
    with pytest.raises(UserError, match="no odd; there are standard"):
        run_here("convention.layouts=[odd]")


def test_the_source_of_a_strategy_is_its_file_and_those_of_its_bases(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "base_of_ours.py").write_text("class Base:\n    pass\n")
    text = "from base_of_ours import Base\n\n\nclass Ours(Base):\n    pass\n"
    (tmp_path / "ours_of_ours.py").write_text(text)
    (tmp_path / "other_of_ours.py").write_text("")

    Ours = import_module("ours_of_ours").Ours
    before = digest_of_source(Ours)
    (tmp_path / "other_of_ours.py").write_text("changed = True\n")
    assert digest_of_source(Ours) == before
    (tmp_path / "base_of_ours.py").write_text("class Base:\n    more = 1\n")
    changed = digest_of_source(Ours)
    assert changed != before
    (tmp_path / "ours_of_ours.py").write_text(text + "    more = 1\n")
    assert digest_of_source(Ours) not in (before, changed)
