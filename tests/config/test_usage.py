"""--help: every option with what it is for, every key of those chosen with its comment."""

import runpy
import signal
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from curriculum.config import source
from curriculum.config.conf import conf_dir
from curriculum.config.usage import comments, text
from curriculum.core.errors import UserError

FILES = [path for path in conf_dir().rglob("*.yaml") if path.parent != conf_dir()]


@pytest.fixture(autouse=True, scope="module")
def registered():
    source.register()


def rows(shown: str) -> dict[str, str]:
    """The second column by the first."""
    halves = (line.strip().partition("  ") for line in shown.splitlines())
    return {left: right.strip() for left, _, right in halves}


@pytest.fixture(scope="module")
def plain():
    return text([])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_option_has_a_line_with_its_headline(plain, path):
    first = next(line for line in path.read_text().splitlines() if not line.startswith("# @"))
    at = plain.index(f"\n{path.parent.relative_to(conf_dir())}")
    paragraph = plain[at:].lstrip().partition("\n\n")[0]
    (row,) = [r for r in paragraph.splitlines()[1:] if path.stem in r.lstrip(" *").split()[:1]]
    assert row.endswith(first.removeprefix("# "))


def test_what_is_chosen_is_marked(plain):
    chosen = [line.split()[1] for line in plain.splitlines() if line.startswith("  * ")]
    defaults = OmegaConf.load(conf_dir() / "config.yaml").defaults
    assert chosen == [
        name for each in defaults if each != "_self_" for name in each.values() if name
    ]


def test_a_plugin_is_said_to_be_of_its_distribution(plain):
    assert rows(plain)["zpd"] == "of the plugin curriculum-zpd 0.1.0"


def test_keys_are_those_of_what_is_chosen_with_their_values_and_comments():
    shown = rows(text(["data=rollouts", "reward=function", "bucketer=percentile", "bucketer.n=7"]))
    assert shown["data.path=???"].endswith("required")
    assert shown["data.prompt_key=prompt"] == "column with the prompt, a string or a chat"
    assert shown["reward.name=compute_score"] == "the function"
    assert shown["reward.time_limit=10"].startswith("seconds for a rollout")
    assert shown["bucketer.n=7"] == "buckets"
    assert shown["measure.threshold=0.5"] == "reward from which a rollout passes"
    assert shown["num_samples=16"] == "rollouts of each problem, of budget=fixed"
    assert "hydra.launcher.partition=null" not in shown
    assert "hydra.launcher.partition=null" in rows(text(["hydra/launcher=slurm"]))


def test_every_key_has_its_comment(plain):
    keys = rows(plain.partition("key=value:")[2].partition("Hydra")[0])
    assert len(keys) > 60
    assert [key for key, comment in keys.items() if "=" in key and not comment] == []


def test_a_preset_and_a_configuration_of_ones_own_choose_too():
    shown = text(["preset=prepare_stages"])
    assert "  * prepare_stages" in shown
    assert "  * buckets" in shown
    sweep = conf_dir().parent / "sweeps" / "budgets.yaml"
    assert "budget" in sweep.read_text()
    assert "Keys" in text([], "budgets", str(sweep.parent))
    with pytest.raises(UserError, match="no-such-folder"):
        text([], "config", "no-such-folder")


def test_a_choice_there_is_not_is_an_error(run):
    shown = run("--help", "bucketer=nope")
    assert shown.returncode == 1
    assert shown.stderr.startswith("error: Could not find 'bucketer/nope'")


def test_comments_of_a_file_are_found_by_dotted_name():
    source = (
        "# Headline\ndefaults:\n  - data: demo  # where\ntop: 'a, b'  # why\n"
        "block:  # of all\n  inner:\n    deep: [1, 2]      # how: so\n  plain: 3\n"
    )
    assert comments(source) == {
        "defaults": "",
        "defaults.data": "where",
        "top": "why",
        "block": "",
        "block.inner": "",
        "block.inner.deep": "how: so",
        "block.plain": "",
    }


@pytest.mark.slow
def test_help_takes_at_most_twice_the_cpu_of_a_minimal_application(tmp_path):
    benchmark = runpy.run_path(str(conf_dir().parent / "benchmarks" / "help.py"))
    (tmp_path / "minimal.py").write_text(benchmark["MINIMAL"])
    own = benchmark["seconds"](conf_dir().parent / "run.py")
    assert own < 2 * benchmark["seconds"](tmp_path / "minimal.py")


@pytest.mark.parametrize("flags", [["--hydra-help"], ["--cfg", "job"], ["--info", "defaults"]])
def test_hydras_own_flags_work(flags):
    shown = subprocess.run(
        [sys.executable, "run.py", *flags], cwd=conf_dir().parent, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "bucketer" in shown.stdout or "hydra/launcher" in shown.stdout


def unread(*arguments):
    """Exit status and standard error of a command whose output is read by nobody."""
    with subprocess.Popen(
        [sys.executable, "run.py", *arguments],
        cwd=conf_dir().parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    return process.returncode, told


@pytest.mark.parametrize("flags", [["--help"], ["--hydra-help"], ["--info", "config"]])
def test_a_reader_may_stop_before_the_end(flags):
    """As `head` does."""
    assert unread(*flags) == (-signal.SIGPIPE, "")


@pytest.mark.slow
def test_a_run_goes_on_where_nobody_reads_its_table(tmp_path, store, read_result):
    status, told = unread(f"output_dir={tmp_path}", f"store_dir={store}")
    assert status == 0, told
    assert "BrokenPipe" not in told
    assert read_result(tmp_path)["status"] == "completed"
