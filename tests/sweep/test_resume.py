"""Sweeps that did not end well: rows for what failed, died or never began; `resume=FOLDER`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from curriculum.compare.sweep import compare
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.sweep import jobs
from curriculum.sweep.resume import expanded

ROOT = conf_dir().parent


def write_rollouts(path, rewards=(0.0, 1.0)):
    rows = [
        {"prompt": f"{path.stem} {i}", "response": "r", "reward": reward}
        for i in range(8)
        for reward in rewards
    ]
    pd.DataFrame(rows).to_json(path, orient="records", lines=True)


def finished(folder):
    results = {int(path.parent.name): path for path in folder.glob("*/result.json")}
    read = {job: json.loads(path.read_text()) for job, path in sorted(results.items())}
    return {job: (result["status"], result.get("finished")) for job, result in read.items()}


def rows(folder):
    return [
        (run["job"], run["status"])
        for run in json.loads((folder / "comparison.json").read_text())["runs"]
    ]


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def sweep(run, tmp_path):
    """Three jobs: the second one's file is missing."""
    for name in ("a", "c"):
        write_rollouts(tmp_path / f"{name}.jsonl")
    paths = ",".join(f"{tmp_path}/{name}.jsonl" for name in "abc")
    done = run("-m", "data=rollouts", f"data.path={paths}", "bucketer=percentile", "bucketer.n=2")
    assert done.returncode == 1
    assert rows(tmp_path / "out") == [("0", "completed"), ("1", "failed"), ("2", "completed")]
    return tmp_path / "out"


def resume(*arguments):
    command = [sys.executable, "run.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_only_what_failed_or_is_missing_runs_again(sweep, tmp_path):
    write_rollouts(tmp_path / "b.jsonl")
    shutil.rmtree(sweep / "2")
    assert compare(sweep) == ["1", "2"]
    assert rows(sweep)[2] == ("2", "missing")
    before = finished(sweep)
    done = resume(f"resume={sweep}")
    assert done.returncode == 0, done.stderr
    assert "job 0 is complete" in done.stderr
    after = finished(sweep)
    assert [status for status, _ in after.values()] == ["completed"] * 3
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert json.loads((sweep / "2" / "result.json").read_text())["config"]["bucketer"]["n"] == 2
    # Twice does no harm, with the sweep's own arguments or without.
    paths = ",".join(f"{tmp_path}/{name}.jsonl" for name in "abc")
    again = resume(
        "-m",
        "data=rollouts",
        f"data.path={paths}",
        "bucketer=percentile",
        "bucketer.n=2",
        f"resume={sweep}",
    )
    assert again.returncode == 0, again.stderr
    assert finished(sweep) == after


@pytest.mark.slow
def test_what_mends_a_failure_may_be_given(sweep, tmp_path):
    write_rollouts(tmp_path / "b.jsonl", (0.0, float("nan")))
    done = resume(f"resume={sweep}")
    assert done.returncode == 0  # some failures are allowed
    shutil.rmtree(sweep / "1")
    done = resume(f"resume={sweep}", "reward.max_failures=0")
    assert done.returncode == 1
    assert "reward.max_failures=0" in (sweep / "comparison.md").read_text()
    done = resume(f"resume={sweep}", "reward.max_failures=8")
    assert done.returncode == 0, done.stderr
    runs = json.loads((sweep / "comparison.json").read_text())["runs"]
    assert "reward.max_failures=8" in runs[1]["overrides"]
    assert "reward.max_failures=8" not in runs[0]["overrides"]


@pytest.mark.slow
def test_other_jobs_are_no_resumed_sweep(sweep, tmp_path):
    done = resume(f"resume={sweep}", "bucketer.n=4")
    assert done.returncode == 1
    assert "has bucketer.n=2, which would be 4 now" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_a_sweep_can_be_resumed(tmp_path):
    with pytest.raises(UserError, match="no folder of a sweep"):
        expanded([f"resume={tmp_path}"])
    assert expanded(["bucketer=percentile"]) == ["bucketer=percentile"]


def test_the_sweeps_own_configuration_and_launcher_are_kept(tmp_path):
    hydra = {
        "overrides": {
            "task": ["sampler=uniform,thompson", "+x=${seed}", "output_dir=/there"],
            "hydra": [
                "hydra/launcher=slurm",
                "hydra.launcher.partition=gpu",
                "hydra.mode=MULTIRUN",
            ],
        },
        "runtime": {
            "cwd": str(tmp_path),
            "config_sources": [{"path": "/sweeps", "provider": "command-line"}],
        },
        "job": {"config_name": "curricula"},
    }
    OmegaConf.save(OmegaConf.create({"hydra": hydra, "seed": 0}), tmp_path / "multirun.yaml")
    last = [f"hydra.sweep.dir='{tmp_path}'", f"resume='{tmp_path}'"]
    own = ["-cd", "/sweeps", "-cn", "curricula", "-m"]
    kept = ["sampler=uniform,thompson", "+x=${seed}"]
    slurm = ["hydra/launcher=slurm", "hydra.launcher.partition=gpu"]
    assert expanded([f"resume={tmp_path}"]) == [*own, *kept, *slurm, *last]
    assert Path.cwd() == tmp_path  # where relative paths in it lead to what they were
    given = ["x=2", f"resume={tmp_path}", "hydra/launcher=local", "seed=4"]
    replaced = ["sampler=uniform,thompson", "x=2", "hydra/launcher=local", "seed=4"]
    assert expanded(given) == [*own, *replaced, *last]


def test_where_a_sweep_was_started_must_still_be_there(tmp_path):
    hydra = {
        "overrides": {"task": [], "hydra": []},
        "runtime": {"cwd": str(tmp_path / "gone"), "config_sources": []},
        "job": {"config_name": "config"},
    }
    OmegaConf.save(OmegaConf.create({"hydra": hydra}), tmp_path / "multirun.yaml")
    with pytest.raises(UserError, match="gone, which is not there"):
        expanded([f"resume={tmp_path}"])


def test_a_folder_may_have_a_comma_and_a_quote(tmp_path):
    folder = tmp_path / "it's a, b"
    folder.mkdir()
    hydra = {
        "overrides": {"task": [], "hydra": []},
        "runtime": {"cwd": str(tmp_path), "config_sources": []},
        "job": {"config_name": "config"},
    }
    OmegaConf.save(OmegaConf.create({"hydra": hydra}), folder / "multirun.yaml")
    *_, directory, given = expanded([f"resume={folder}"])
    parsed = OverridesParser.create().parse_overrides([directory, given])
    assert [each.value() for each in parsed] == [str(folder)] * 2
    assert not any(each.is_sweep_override() for each in parsed)


def complete(folder, overrides):
    folder.mkdir(parents=True)
    content = {"status": "completed", "error": None, "overrides": overrides}
    (folder / "result.json").write_text(json.dumps(content))


def test_a_complete_job_does_not_mind_what_would_have_stopped_it(tmp_path):
    complete(tmp_path / "0", ["bucketer.n=2", "reward.max_failures=5"])
    assert not jobs.is_open(tmp_path / "0", ["bucketer.n=2", "reward.max_failures=100"])
    with pytest.raises(UserError, match="other jobs"):
        jobs.is_open(tmp_path / "0", ["bucketer.n=3", "reward.max_failures=5"])


def test_a_job_that_slurm_starts_again_is_not_left_to_itself(tmp_path, monkeypatch):
    sign = {"where": "a node that was switched off", "pid": 1, "started": "1", "beats": 3}
    (tmp_path / ".lock.0").write_text(json.dumps(sign))
    assert not jobs.is_open(tmp_path, [])
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert jobs.is_open(tmp_path, [])


@pytest.mark.slow
def test_an_earlier_sweep_in_the_folder_is_no_result_of_this_one(run, tmp_path):
    write_rollouts(tmp_path / "a.jsonl")
    data = ("data=rollouts", f"data.path={tmp_path}/a.jsonl")
    assert run("-m", *data, "bucketer=percentile", "bucketer.n=2,3,4").returncode == 0
    dies = "model.path=${not.there}"  # before it can say so itself
    done = run("-m", "hydra/launcher=local", *data, dies, "bucketer=percentile", "bucketer.n=5,6")
    assert done.returncode == 1, done.stderr
    assert rows(tmp_path / "out") == [("0", "failed"), ("1", "failed")]


@pytest.mark.slow
def test_no_more_jobs_of_this_machine_run_at_once_than_asked_for(run, tmp_path):
    write_rollouts(tmp_path / "a.jsonl")
    few = ("hydra/launcher=local", "hydra.launcher.array_parallelism=1")
    data = ("data=rollouts", f"data.path={tmp_path}/a.jsonl")
    done = run("-m", *few, *data, "bucketer=percentile", "bucketer.n=2,3")
    assert done.returncode == 0, done.stderr
    told = re.findall(r"job (\d) is|job (\d) completed", done.stderr)
    assert told == [("0", ""), ("", "0"), ("1", ""), ("", "1")]
    assert rows(tmp_path / "out") == [("0", "completed"), ("1", "completed")]


@pytest.mark.slow
def test_a_cluster_that_does_not_take_the_jobs_says_why(run, tmp_path):
    without = ":".join(
        each for each in os.environ["PATH"].split(":") if not (Path(each) / "srun").exists()
    )
    done = run("-m", "hydra/launcher=slurm", "bucketer=percentile", "bucketer.n=2,3", PATH=without)
    assert done.returncode == 1
    assert "hydra/launcher=local" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_job_of_this_machine_that_is_killed_is_a_row(tmp_path):
    write_rollouts(tmp_path / "a.jsonl")
    (tmp_path / "wait.py").write_text(
        "import time\n\n\ndef compute_score(*_, **__):\n    time.sleep(60)\n"
    )
    arguments = (
        *("-m", "hydra/launcher=local", "trainer=none"),
        *("data=rollouts", f"data.path={tmp_path}/a.jsonl,{tmp_path}/b.jsonl"),
        *("reward=function", f"reward.path={tmp_path}/wait.py", "reward.time_limit=60"),
        "reward.needs_ground_truth=false",
        *(f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store"),
    )
    sweep = subprocess.Popen(
        [sys.executable, "run.py", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert sweep.stdout is not None
    pid = next(m[1] for line in sweep.stdout if (m := re.search(r"job 0 is (\d+) of local", line)))
    log = tmp_path / "out" / "0" / "run.log"
    while not log.exists() or "problems: made" not in log.read_text():
        assert sweep.poll() is None
        time.sleep(0.1)
    os.kill(int(pid), signal.SIGKILL)
    output = sweep.communicate()[0]
    assert sweep.returncode == 1
    assert rows(tmp_path / "out") == [("0", "failed"), ("1", "failed")]
    runs = json.loads((tmp_path / "out" / "comparison.json").read_text())["runs"]
    assert runs[0]["error"].startswith("killed: ")
    assert "b.jsonl" in runs[1]["error"]
    assert "killed: " in output
