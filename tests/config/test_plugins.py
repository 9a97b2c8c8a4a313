"""Third parties' strategies: offered like the built-ins, never able to break or replace them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from omegaconf import OmegaConf

from curriculum.config import plugins, source
from curriculum.config.conf import GROUPS, conf_dir, pipeline_keys
from curriculum.core.errors import UserError

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


@pytest.fixture
def installed(monkeypatch) -> Iterator[Callable[[str], None]]:
    """Make this process see the distributions on a path, as a new one would."""

    def installed(path: str) -> None:
        monkeypatch.syspath_prepend(path)
        plugins.plugins.cache_clear()

    yield installed
    plugins.plugins.cache_clear()
    for module in ("cut_in_half", "mine"):
        sys.modules.pop(module, None)


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


@pytest.mark.slow
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


def listed(**environment: str) -> list[list[str]]:
    command = [sys.executable, "-m", "curriculum.config.plugins"]
    shown = subprocess.run(
        command,
        cwd=conf_dir().parent,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return [line.split() for line in shown.stdout.splitlines()]


def test_options_are_listed_with_their_provider():
    rows = listed()
    assert ["bucketer", "zpd", "curriculum-zpd", "0.1.0"] in [row[:4] for row in rows]
    assert ["bucketer", "percentile", "curriculum"] in [row[:3] for row in rows]


@pytest.mark.slow
def test_a_plugin_needs_no_more_than_an_entry_point(run_process, install, tmp_path):
    path = install("cut-in-half", "halves = cut_in_half:Halves", HALVES.format(first_line=""))
    done = run_process("bucketer=halves", "bucketer.middle=0.9", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "above" in done.stdout
    wrong = run_process("bucketer=halves", "bucketer.middle=high", PYTHONPATH=path)
    assert wrong.stderr.startswith("error: bucketer.middle=high")


def test_a_name_that_is_taken_names_both_sides(run_process, install):
    path = install("cut-in-half", "percentile = cut_in_half:Halves", HALVES.format(first_line=""))
    done = run_process(PYTHONPATH=path)
    assert done.returncode == 1
    assert "bucketer=percentile: one of curriculum, one of cut-in-half 2.0" in done.stderr


def test_a_name_that_two_plugins_take_names_both(install, installed):
    install("first", "halves = first:Halves", "")
    installed(install("second", "halves = second:Halves", ""))
    with pytest.raises(UserError, match=r"one of first 2\.0, one of second 2\.0"):
        source.register()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit('no license')", "SystemExit: no license"),
        ("raise BaseException('two\\nlines')", "BaseException: two lines"),
        ("Halves = 3", "TypeError: cut_in_half:Halves is not a dataclass"),
        ("class Halves: ...", "TypeError: cut_in_half:Halves is not a dataclass"),
        (
            "from dataclasses import dataclass\n@dataclass\nclass Halves:\n    edges: str = ''",
            "TypeError: edges is the pipeline's: rename the field",
        ),
        (
            "from dataclasses import dataclass, field\n@dataclass\n"
            "class Halves:\n    key: object = field(default_factory=object)",
            "UnsupportedValueType: Value 'object' is not a supported primitive type",
        ),
    ],
    ids=["import", "exit", "base exception", "no class", "no dataclass", "key", "default"],
)
def test_a_broken_plugin_is_one_line_where_it_is_chosen(install, installed, composed, code, cause):
    installed(install("cut-in-half", "halves = cut_in_half:Halves", code))
    with pytest.raises(UserError) as caught:
        composed("bucketer=halves")
    complaint = "plugin cut-in-half 2.0 can't offer bucketer=halves: "
    assert str(caught.value).startswith(complaint + cause)


@pytest.mark.slow
def test_a_broken_plugin_is_a_row_of_the_listing_and_nothing_to_others(run_process, install):
    path = install("cut-in-half", "halves = cut_in_half:Halves", "import sys; sys.exit(3)")
    assert ["broken:", "SystemExit:", "3"] in [row[4:] for row in listed(PYTHONPATH=path)]
    shown = run_process("--help", PYTHONPATH=path)
    assert (shown.returncode, shown.stderr) == (0, "")
    done = run_process("bucketer=halves", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_a_plugin_is_loaded_when_it_is_chosen_and_not_before(install, installed, composed):
    code = HALVES.format(first_line="")
    installed(install("cut-in-half", "halves = cut_in_half:Halves", code))
    composed("bucketer=percentile")
    assert "cut_in_half" not in sys.modules
    assert composed("bucketer=halves").bucketer.middle == 0.5
    assert "cut_in_half" in sys.modules


MINE = """
from dataclasses import dataclass, field

@dataclass
class Mine:
    "Does nothing."
    needed: int
    own: list = field(default_factory=lambda: [1, "${x}"])
"""


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_takes_plugins(install, installed, composed, group):
    installed(install("mine", "mine = mine:Mine", MINE, group))
    assert (group, "mine", "mine 2.0", "Does nothing.") in plugins.options()
    added = "+" if group == "layout" else ""  # nothing chooses one yet
    node = composed(f"{added}{group}=mine")[group]
    assert node["_target_"] == "mine.Mine"
    assert OmegaConf.is_missing(node, "needed")
    assert OmegaConf.to_container(node["own"], resolve=True) == [1, "${x}"]
    assert set(pipeline_keys(group)) < set(node)
