"""The journeys of the README, as a user takes them."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from curriculum.compare.runs import read_run
from curriculum.data.demo import FILE
from curriculum.store.lease import held


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a run but those that tell the time."""
    names = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    timed = ("result.json", "run.log", "report.html")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in names
        if path.name not in timed and ".hydra" not in path.parts
    }


def test_the_default_run_shows_how_hard_the_demo_is(run, tmp_path, read_result):
    done = run()
    assert done.returncode == 0, done.stderr
    assert "1,008 problems   16,128 rollouts (16 each)" in done.stdout
    assert all(word in done.stdout for word in ("never", "always", "very_hard", "chain_sum"))
    assert f"Files in {tmp_path}/out\n" in done.stdout
    assert "problems.parquet" in done.stdout

    result = read_result(tmp_path / "out")
    assert result["status"] == "completed"
    assert result["reward"] == "ExactMatch"
    assert result["counts"]["rewards"] == 16128
    sizes = {name: bucket["count"] for name, bucket in result["buckets"].items()}
    assert sizes == {"easy": 471, "medium": 91, "hard": 72, "very_hard": 374}
    assert "training" not in result
    assert result["stages"]["rewards"]["fingerprint"]
    assert result["versions"]["numpy"]

    table = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert len(table) == 1008
    assert (table["pass_rate_low"] <= table["pass_rate_high"]).all()
    rates = table.groupby("bucket")["pass_rate"]
    assert rates.max()["very_hard"] < 0.2 <= rates.min()["hard"]
    assert rates.max()["medium"] < 0.8 <= rates.min()["easy"]


def test_pass_rates_of_the_demo_are_exact_matches(run, tmp_path):
    run()
    rollouts = pd.read_parquet("curriculum/demo/rollouts.parquet")
    truth = rollouts["original_reward_model"].str.get("ground_truth")
    expected = (rollouts["response"].str.strip() == truth).groupby(rollouts["data_idx"]).mean()
    table = pd.read_parquet(tmp_path / "out" / "problems.parquet").set_index("data_idx")
    assert (table["pass_rate"] == expected).all()


@pytest.mark.slow
def test_the_same_command_twice_gives_the_same_bytes(run, tmp_path):
    for name in ("one", "two"):
        store = f"store_dir={tmp_path}/store_{name}"
        assert run(f"output_dir={tmp_path}/{name}", store, "bucketer=adaptive").returncode == 0
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert one == two
    assert "problems.parquet" in one


def test_a_sweep_scores_once_and_ends_in_one_table(run, tmp_path):
    done = run("-m", "bucketer=percentile,pass_rate,adaptive", f"store_dir={tmp_path}/store")
    assert done.returncode == 0, done.stderr
    logs = "".join(path.read_text() for path in (tmp_path / "out").glob("*/run.log"))
    assert logs.count("rewards: made") == 1
    assert logs.count("rewards: reused") == 2
    assert "Agreement of buckets (adjusted Rand index)" in done.stdout

    sweep = tmp_path / "out"
    assert {path.name for path in sweep.iterdir() if path.is_dir()} == {"0", "1", "2"}
    comparison = json.loads((sweep / "comparison.json").read_text())
    assert [each["choice"] for each in comparison["runs"]] == [
        "bucketer=percentile",
        "bucketer=pass_rate",
        "bucketer=adaptive",
    ]
    assert comparison["runs"][1]["edges"] == "0.8, 0.5, 0.2"
    assert len(pd.read_parquet(sweep / "comparison.parquet")) == 3
    assert "bucketer=adaptive" in (sweep / "comparison.md").read_text()

    pair = comparison["adjusted_rand_index"][0]
    assert pair["index"] == pytest.approx(naive_rand_index(sweep / "0", sweep / "1"), abs=1e-9)


def naive_rand_index(one: Path, other: Path) -> float:
    """Hubert and Arabie 1985, equation 5, from the contingency table."""
    tables = [pd.read_parquet(each / "buckets.parquet") for each in (one, other)]
    counts = pd.crosstab(tables[0]["bucket"], tables[1]["bucket"]).to_numpy()

    def pairs(x):
        return (x * (x - 1) / 2).sum()

    both, a, b = pairs(counts), pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
    chance = a * b / pairs(counts.sum())
    return (both - chance) / ((a + b) / 2 - chance)


@pytest.mark.slow
def test_a_failing_job_leaves_the_others_alone(run, tmp_path):
    done = run("-m", "bucketer=threshold,percentile", "metric=mean_at_k", "metric.k=5,99")
    assert done.returncode == 1
    sweep = tmp_path / "out"
    runs = [read_run(sweep / str(i)) for i in range(4)]
    assert [each["status"] for each in runs] == ["failed", "failed", "completed", "failed"]
    assert "bucketer.thresholds is required" in runs[0]["error"]
    assert "mean@99" in runs[3]["error"]
    assert "n=16" in runs[3]["error"]
    table = pd.read_parquet(sweep / "comparison.parquet")
    assert table["status"].tolist() == [each["status"] for each in runs]


@pytest.mark.slow
def test_edges_of_one_run_cut_another(run, tmp_path):
    assert run("bucketer=percentile", f"output_dir={tmp_path}/one").returncode == 0
    edges = ("bucketer=percentile", f"bucketer.edges={tmp_path}/one/buckets.json")
    assert run(f"output_dir={tmp_path}/two", *edges).returncode == 0
    one, two = (tree(tmp_path / name) for name in ("one", "two"))
    assert one == two
    other = run(*edges, "metric=variance")
    assert "these edges are of metric mean_reward, this run has variance" in other.stderr


def test_a_failed_run_says_so_in_its_record(run, tmp_path, read_result):
    assert run("bucketer=percentile", "metric=mean_at_k", "metric.k=99").returncode == 1
    result = read_result(tmp_path / "out")
    assert result["status"] == "failed"
    assert "mean@99" in result["error"]
    assert result["overrides"][1:3] == ["metric=mean_at_k", "metric.k=99"]
    assert result["config"]["metric"]["k"] == 99


@pytest.mark.slow
def test_too_many_failures_end_the_run_and_are_kept(run, tmp_path, read_result):
    function = tmp_path / "reward.py"
    function.write_text(
        "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n"
        "    if extra_info['level'] == 6:\n"
        "        raise ValueError('level 6 is too much')\n"
        "    return float(solution_str == ground_truth)\n"
    )
    arguments = ["reward=function", f"reward.path={function}", "data.max_rejected=0"]
    done = run(*arguments, "reward.max_failures=10")
    assert done.returncode == 1
    assert "more than reward.max_failures=10" in done.stderr
    assert "ValueError: level 6 is too much" in done.stderr
    assert len(pd.read_parquet(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")) == 11

    done = run(*arguments, "reward.max_failures=5000")
    assert done.returncode == 0, done.stderr
    counts = read_result(tmp_path / "out")["counts"]
    assert counts["failed_rollouts"] == 4 * 42 * 16
    assert counts["problems_without_reward"] == 4 * 42
    assert run(*arguments, "reward.max_failures=10").returncode == 1


@pytest.mark.slow
def test_rollouts_replayed_for_problems_of_other_files(run, tmp_path, read_result):
    rollouts = pd.read_parquet("curriculum/demo/rollouts.parquet")
    first = rollouts[rollouts["sample_idx"] == 0].iloc[:500]
    problems = pd.DataFrame(
        {
            "data_source": first["original_data_source"],
            "prompt": [[{"role": "user", "content": text}] for text in first["prompt"]],
            "reward_model": first["original_reward_model"],
        }
    )
    problems.to_parquet(tmp_path / "train.parquet")
    done = run(
        "data=verl",
        f"data.path={tmp_path}/train.parquet",
        "generator.path=curriculum/demo/rollouts.parquet",
    )
    assert done.returncode == 0, done.stderr
    assert "500 problems   8,000 rollouts (16 each)" in done.stdout
    counts = read_result(tmp_path / "out")["counts"]
    assert counts["rollouts_without_problem"] == 508 * 16


def test_a_run_never_writes_over_its_input(run, tmp_path):
    lines = [{"prompt": f"q{i}", "reward": [{"score": i % 2}]} for i in range(20)]
    path = tmp_path / "data" / "easy.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = path.read_bytes()
    done = run("preset=bucket_rollouts", f"data.path={path}", f"output_dir={path.parent}")
    assert done.returncode == 1
    assert "is input of this run" in done.stderr
    assert path.read_bytes() == before


def test_a_run_replaces_the_files_of_the_last_one_in_its_folder(run, tmp_path):
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(f'{{"prompt": "q{i}", "reward": [{i}]}}\n' for i in range(9)))
    arguments = ["preset=bucket_rollouts", f"data.path={path}"]
    assert run(*arguments).returncode == 0
    (tmp_path / "out" / "mine.txt").touch()
    assert run(*arguments, "bucketer.n=2").returncode == 0
    names = {
        each.name for each in (tmp_path / "out").iterdir() if each.suffix in (".jsonl", ".txt")
    }
    assert names == {"easy.jsonl", "hard.jsonl", "mine.txt"}


HANGS = """
import os, pathlib, time

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    pathlib.Path({folder!r}, str(os.getpid())).touch()
    time.sleep(600)
"""


# What a shell starts in the background, a test run say, ignores Ctrl-C unless told otherwise.
HEARS_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_path("run.py", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "said", "error"),
    [
        (signal.SIGKILL, "", ""),
        (signal.SIGTERM, "terminated by SIGTERM\n", "Terminated: by SIGTERM"),
        (signal.SIGHUP, "terminated by SIGHUP\n", "Terminated: by SIGHUP"),
        (signal.SIGINT, "interrupted\n", "KeyboardInterrupt"),
    ],
)
def test_workers_end_with_their_parent_which_says_what_ended_it(
    tmp_path, end, said, error, read_result
):
    pids = tmp_path / "pids"
    pids.mkdir()
    (tmp_path / "reward.py").write_text(HANGS.format(folder=str(pids)))
    command = [sys.executable, "-c", HEARS_CTRL_C, "reward=function"]
    command += [f"reward.path={tmp_path}/reward.py"]
    command += [f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store"]
    with (tmp_path / "stderr").open("w") as stderr:
        job = subprocess.Popen(
            [*command, "reward.time_limit=600", "reward.workers=2"], stderr=stderr
        )
    wait_for(lambda: len(list(pids.iterdir())) == 2)
    job.send_signal(end)
    codes = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
    assert job.wait(20) == codes.get(end, -end)
    wait_for(lambda: not any(alive(int(path.name)) for path in pids.iterdir()))
    if end != signal.SIGKILL:
        result = read_result(tmp_path / "out")
        assert (result["status"], result["error"]) == ("interrupted", error)
        assert (tmp_path / "stderr").read_text().endswith(f"\n{said}")


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.slow
def test_a_change_in_the_folder_of_the_function_scores_anew(run_process, tmp_path, read_result):
    code = tmp_path / "code"
    code.mkdir()
    (code / "reward.py").write_text(
        "from worth import WORTH\n\n\ndef compute_score(*_, **__):\n    return WORTH\n"
    )
    (tmp_path / "rollouts.jsonl").write_text('{"prompt": "q", "response": "a"}\n')
    arguments = ["data=rollouts", f"data.path={tmp_path}/rollouts.jsonl", "reward=function"]
    arguments += ["reward.needs_ground_truth=false"]
    for worth in (1.0, 0.0):
        (code / "worth.py").write_text(f"WORTH = {worth}\n")
        done = run_process(*arguments, f"reward.path={code}/reward.py", PYTHONPATH=str(code))
        assert done.returncode == 0, done.stderr
        assert read_result(tmp_path / "out")["mean_reward"] == worth


def test_two_runs_at_once_in_one_folder_are_refused(run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with held(out / ".lock"):
        done = run()
    assert done.returncode == 1
    assert f"another run is at work in {out}" in done.stderr
    assert not (out / "result.json").exists()
    assert run().returncode == 0


def test_a_folder_that_is_read_as_a_whole_is_no_output_dir(run, tmp_path):
    shutil.copy(FILE, tmp_path / "rollouts.parquet")
    done = run("data=rollouts", f"data.path={tmp_path}", f"output_dir={tmp_path}")
    assert done.returncode == 1
    assert "choose another output_dir" in done.stderr
    assert not (tmp_path / "buckets.parquet").exists()


@pytest.mark.slow
def test_a_run_may_stop_at_its_rollouts_in_a_sweep_too(run, tmp_path, read_result):
    done = run("-m", "until=rollouts,null")
    assert done.returncode == 0, done.stderr
    first = tmp_path / "out" / "0"
    assert read_result(first)["files"] == ["rollouts.parquet"]
    assert len(pd.read_parquet(first / "rollouts.parquet")) == 16_128
    assert not (first / "problems.parquet").exists()
    assert "until=rollouts" in (tmp_path / "out" / "comparison.md").read_text()
    command = [sys.executable, "-m", "curriculum.compare", str(first), str(tmp_path / "out" / "1")]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 1
    assert "has no buckets" in shown.stderr


def test_the_flat_file_never_replaces_the_input(run, tmp_path):
    path = Path(shutil.copy(FILE, tmp_path / "rollouts.parquet"))
    done = run("data=rollouts", f"data.path={path}", "until=rollouts", f"output_dir={tmp_path}")
    assert done.returncode == 1
    assert "is input of this run" in done.stderr
    assert path.read_bytes() == FILE.read_bytes()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sampler=reward_curiculum", "sampler=reward_curriculum"),
        ("bucketr=pass_rate", "bucketer"),
        ("sampler.floors=0.1", "floor"),
        ("-m bucketer=percentil,pass_rate", "bucketer=percentile"),
    ],
)
def test_a_name_that_is_nearly_right_is_asked_about(run, typed, meant):
    done = run(*typed.split())
    assert done.returncode == 1
    assert f"; did you mean {meant}?\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 4


def test_a_name_like_none_there_is_lists_them_all(run):
    done = run("sampler=xyz")
    assert "Could not find 'sampler/xyz'\noptions of sampler: bandit, " in done.stderr
