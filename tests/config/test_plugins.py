"""Third parties' strategies: offered like the built-ins, never able to break or replace them."""

import pytest

DISTRIBUTION = """\
Metadata-Version: 2.1
Name: {name}
Version: 2.0
"""


@pytest.fixture
def install(tmp_path):
    """Put a distribution with one entry point on a path of its own; gives that path."""

    def install(name: str, entry_point: str, code: str, group: str = "bucketer") -> str:
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(DISTRIBUTION.format(name=name))
        (info / "entry_points.txt").write_text(f"[curriculum.{group}]\n{entry_point}\n")
        return str(tmp_path)

    return install


HALVES = """
from dataclasses import dataclass, field
import numpy as np
from curriculum.bucketers import Bucketer
{first_line}

@dataclass
class Halves(Bucketer):
    "Above the middle and below."
    middle: float = 0.5
    edges_: list = field(init=False)
    names_: list = field(init=False)

    def fit(self, metrics):
        self.edges_, self.names_ = [self.middle], ["above", "below"]
        return self

    def assign(self, metrics):
        return np.where(metrics["c"] / metrics["n"] >= self.edges_[0], 0, 1)
"""


def test_the_example_plugin_is_an_option_like_any_other(run, tmp_path):
    assert "zpd" in run("--help").stdout
    assert "group_size: 16" in run("--cfg", "job", "bucketer=zpd", "bucketer.group_size=16").stdout
    done = run("-m", "bucketer=zpd,percentile", "metric=gradient_share")
    assert done.returncode == 0, done.stderr
    assert "bucketer=zpd" in (tmp_path / "out" / "comparison.md").read_text()


def test_completion_offers_plugins(run):
    done = run("-sc", "query=bash", COMP_LINE="python run.py bucketer=z", COMP_POINT="24")
    assert done.stdout.split() == ["bucketer=zpd"]


@pytest.mark.slow
def test_the_example_rewards_verify_the_demo(run, read_result, tmp_path):
    assert run("reward=concise", "reward.max_characters=2").returncode == 0
    result = read_result(tmp_path / "out")
    assert result["reward"] == "Concise"
    assert 0 < result["mean_reward"] < result["mean_pass_rate"]


def test_options_are_listed_with_their_provider(run):
    import subprocess
    import sys

    command = [sys.executable, "-m", "curriculum.config.plugins"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["bucketer", "zpd", "curriculum-zpd", "0.1.0"] in [row[:4] for row in rows]
    assert ["bucketer", "percentile", "curriculum"] in [row[:3] for row in rows]


@pytest.mark.slow
def test_a_plugin_needs_no_more_than_an_entry_point(run, install, tmp_path):
    path = install("cut-in-half", "halves = cut_in_half:Halves", HALVES.format(first_line=""))
    done = run("bucketer=halves", "bucketer.middle=0.9", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "above" in done.stdout
    wrong = run("bucketer=halves", "bucketer.middle=high", PYTHONPATH=path)
    assert "Value 'high' of type 'str' could not be converted to Float" in wrong.stderr


def test_a_name_that_is_taken_names_both_sides(run, install):
    path = install("cut-in-half", "percentile = cut_in_half:Halves", HALVES.format(first_line=""))
    done = run(PYTHONPATH=path)
    assert done.returncode == 1
    assert "bucketer=percentile: one of curriculum, one of cut-in-half 2.0" in done.stderr


def test_a_broken_plugin_is_one_warning_and_an_error_where_asked(run, install):
    broken = HALVES.format(first_line="import no_such_module")
    path = install("cut-in-half", "halves = cut_in_half:Halves", broken)
    done = run(PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    warning = "plugin cut-in-half 2.0 can't offer 'halves': ModuleNotFoundError"
    assert done.stderr.count(warning) == 1
    missing = run("bucketer=halves", PYTHONPATH=path)
    assert "Could not find 'bucketer/halves'" in missing.stderr
    strict = run(PYTHONPATH=path, CURRICULUM_STRICT_PLUGINS="1")
    assert strict.returncode == 1
    assert warning in strict.stderr


def test_a_plugin_must_be_a_dataclass(run, install):
    path = install("cut-in-half", "halves = cut_in_half:Halves", "class Halves: ...\n")
    assert "cut_in_half:Halves is not a dataclass" in run(PYTHONPATH=path).stderr
