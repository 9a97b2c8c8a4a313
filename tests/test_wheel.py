"""A wheel has what the checkout has, and its command works where there is no checkout."""

import json
import os
import site
import subprocess
import sys

import pytest

from curriculum.config.conf import conf_dir

ROOT = conf_dir().parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """An environment with the wheel; what it depends on is this one's."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, "."], check=True, cwd=ROOT)
    (wheel,) = folder.glob("curriculum-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    # Editable installs of this environment hold for its own packages alone.
    (packages / "shared.pth").write_text("\n".join(site.getsitepackages()))
    install = ["install", "--no-deps", "--no-index", wheel]
    subprocess.run([*pip, "--python", folder / "venv" / "bin" / "python", *install], check=True)
    return folder / "venv"


@pytest.fixture
def command(venv, tmp_path, store):
    """`curriculum ...` in an empty folder."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def command(*arguments):
        return subprocess.run(
            [venv / "bin" / "curriculum", *arguments, f"store_dir={store}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return command


def test_a_wheel_carries_the_configuration_the_sweeps_and_the_demo(venv):
    (package,) = venv.glob("lib/python*/site-packages/curriculum")
    for name in ("conf", "sweeps"):
        there = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*.yaml")}
        copied = (package / name).rglob("*.yaml")
        assert there == {path.relative_to(package / name) for path in copied}
    assert (package / "demo" / "rollouts.parquet").is_file()
    templates = {path.name for path in (ROOT / "curriculum/report/templates").iterdir()}
    assert templates == {path.name for path in (package / "report" / "templates").iterdir()}


def test_the_command_runs_the_demo_and_says_itself_what_is_next(command, tmp_path):
    done = command("output_dir=run")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    assert found["status"] == "completed"
    assert found["next"]["command"].startswith("curriculum preset=curriculum data=demo ")
    assert (tmp_path / "run" / "run.log").exists()
    assert "  curriculum sampler=bandit --help" in command("--help").stdout


def test_the_command_sweeps_in_processes_of_their_own_and_resumes(command, tmp_path):
    done = command("-m", "bucketer=percentile,pass_rate", "hydra/launcher=local", "output_dir=s")
    assert done.returncode == 0, done.stderr
    assert "Agreement of buckets" in done.stdout
    jobs = [json.loads((tmp_path / "s" / job / "result.json").read_text()) for job in "01"]
    assert [job["choices"]["bucketer"] for job in jobs] == ["percentile", "pass_rate"]
    (tmp_path / "s" / "1" / "result.json").unlink()
    again = command("resume=s")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "s" / "1" / "result.json").exists()


def test_a_ready_made_sweep_is_found_by_its_name(command, tmp_path):
    done = command("-cn", "curricula", "seed=1", "trainer.steps=5", "output_dir=ready")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("ready/*/metrics.parquet"))) == 4


def test_an_extra_is_installed_without_a_checkout(command):
    failed = command("generator=vllm", "data=reasoning_gym", "output_dir=none")
    assert failed.returncode == 1
    assert "pip install 'curriculum[" in failed.stderr
