"""What a run records for W&B, without any network."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

OFFLINE = ("tracker=wandb", "tracker.mode=offline")


@pytest.mark.slow
def test_a_training_is_recorded_in_full(run, tmp_path, recorded, read_result):
    done = run(
        *OFFLINE,
        "sampler=reward_curriculum",
        "trainer.steps=60",
        "bucketer=percentile",
        "bucketer.n=3",
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out"
    found, result = recorded(folder), read_result(folder)
    assert found.exit_code == 0
    assert (found.run["project"], found.run["job_type"]) == ("curriculum", "training")
    assert found.run["display_name"] == (
        "sampler=reward_curriculum trainer.steps=60 bucketer=percentile bucketer.n=3 "
        "trainer=dry_run"
    )
    assert "run_group" not in found.run

    # The configuration is flat, the choices beside their knobs.
    assert (found.config["bucketer"], found.config["bucketer.n"]) == ("percentile", 3)
    assert found.config["sampler.reward_threshold"] == 0.5
    assert not [key for key, value in found.config.items() if isinstance(value, dict) and value]
    assert found.config["provenance.commit"] == result["git_commit"]
    assert found.config["provenance.version.numpy"] == result["versions"]["numpy"]
    fingerprint = result["stages"]["rewards"]["fingerprint"]
    assert found.config["provenance.fingerprint.rewards"] == fingerprint

    # The numbers of each step are those of the local file, over the training's own steps.
    table = pd.read_parquet(folder / "metrics.parquet").set_index("step")
    for name in table:
        logged = found.rows(name)
        expected = table[name].dropna()
        assert list(logged) == list(expected.index)
        np.testing.assert_allclose(list(logged.values()), expected, rtol=1e-12)
    assert {"rollouts", "bucket/easy", "sampler/reward_ema", "control/reward"} <= set(table)
    axes = {each.get("name") or each["glob_name"]: each for each in found.records["metric"]}
    assert set(axes) == {"train/step", "train/*"}
    assert axes["train/*"]["step_metric"] == "train/step"

    # Level-ups: as numbers at their step, and with all that was said of them in a table.
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    ups = [line for line in lines if line["event"] == "level_up"]
    assert ups
    for name in ("level", "threshold", "reward"):
        assert found.rows(f"events/level_up/{name}") == {up["step"]: up[name] for up in ups}
    events = found.table("events")
    assert events["text"].to_list() == [line["text"] for line in lines]
    assert events["step"].to_list() == [line["step"] for line in lines]
    assert json.loads(events["values"].iloc[-1])["samples"] == ups[-1]["samples"]

    # What the table of runs says.
    own = result["training"]["arms"]["reward_curriculum"]
    control = result["training"]["arms"]["uniform"]
    for name in ("groups_with_gradient", "never_drawn"):
        assert found.summary[f"training/{name}"] == own[name]
        assert found.summary[f"training/uniform/{name}"] == control[name]
    assert found.summary["total_problems"] == result["total_problems"]


@pytest.mark.slow
def test_buckets_are_scalars_a_table_and_histograms(run, tmp_path, recorded):
    assert run(*OFFLINE, "bucketer=pass_rate").returncode == 0
    found = recorded(tmp_path / "out")
    assert found.run["job_type"] == "buckets"
    problems = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    table = found.table("buckets").set_index("bucket")
    for name, inside in problems.groupby("bucket"):
        expected = {
            "count": len(inside),
            "mean_reward": inside["mean_reward"].mean(),
            "pass_rate": (inside["c"] / inside["n"]).mean(),
            "pass_rate_low": inside["pass_rate_low"].mean(),
            "pass_rate_high": inside["pass_rate_high"].mean(),
            "difficulty": inside["difficulty_score"].mean(),
        }
        for key, value in expected.items():
            assert found.summary[f"buckets/{name}/{key}"] == pytest.approx(value)
            assert table.loc[name, key] == pytest.approx(value)
    drawn = {key for row in found.history for key in row if key.startswith("histograms/")}
    assert {each.split(".")[0] for each in drawn} == {
        "histograms/pass_rate",
        "histograms/mean_reward",
        "histograms/difficulty",
    }
    shown = found.table("problems").set_index("problem_id")
    assert len(shown) == len(problems)
    assert shown["bucket"].to_dict() == problems.set_index("problem_id")["bucket"].to_dict()


@pytest.mark.slow
def test_a_long_table_is_a_sample_from_easiest_to_hardest(run, tmp_path, recorded):
    done = run(*OFFLINE, "tracker.rows=5", "tracker.characters=3", "metric=pass_rate")
    assert "5 of 1,008 problems are in the table" in done.stderr
    found = recorded(tmp_path / "out")
    rates = pd.read_parquet(tmp_path / "out" / "problems.parquet")["pass_rate"].sort_values()
    table = found.table("problems")
    expected = rates.iloc[::-1].iloc[[0, 252, 504, 755, 1007]]  # every quarter of 1,007 steps
    assert (table["c"] / table["n"]).to_list() == expected.to_list()
    assert table["prompt"].str.len().max() == 3
    assert found.summary["problems_in_table"] == 5


@pytest.mark.slow
def test_no_rows_means_no_prompts(run, tmp_path, recorded):
    assert run(*OFFLINE, "tracker.rows=0").returncode == 0
    prompt = pd.read_parquet(tmp_path / "out" / "problems.parquet")["prompt"].iloc[0]
    found = recorded(tmp_path / "out")
    assert not list(found.folder.rglob("problems_*.json"))
    files = [path for path in (tmp_path / "out" / "wandb").rglob("*") if path.is_file()]
    assert not [path for path in files if prompt.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_run_that_stops_at_its_rollouts_says_so(run, tmp_path, recorded):
    assert run(*OFFLINE, "until=rollouts").returncode == 0
    found = recorded(tmp_path / "out")
    assert found.run["job_type"] == "rollouts"
    assert found.summary["total_rollouts"] == 1008 * 16


@pytest.mark.slow
def test_runs_of_a_sweep_don_t_mix_and_one_more_compares_them(run, tmp_path, recorded):
    done = run(
        "-m",
        *OFFLINE,
        "bucketer=percentile",
        "bucketer.n=3,4",
        "seed=1,2",
        "trainer.steps=20",
        "tracker.tags=[a]",
    )
    assert done.returncode == 0, done.stderr
    sweep = tmp_path / "out"
    runs = [recorded(sweep / str(number)) for number in range(4)]
    names = ["bucketer.n=3 seed=1", "bucketer.n=3 seed=2"]
    assert [each.run["display_name"] for each in runs[:2]] == names
    assert [each.config["bucketer.n"] for each in runs] == [3, 3, 4, 4]
    assert [each.config["seed"] for each in runs] == [1, 2, 1, 2]
    assert all(len(each.rows("groups_with_gradient")) == 20 for each in runs)
    assert len({each.id for each in runs}) == 4
    comparison = recorded(sweep)
    assert {each.run["run_group"] for each in (*runs, comparison)} == {"out"}
    assert comparison.run["job_type"] == "comparison"
    assert comparison.run["tags"] == ["a"]
    assert comparison.table("runs")["job"].to_list() == ["0", "1", "2", "3"]
    said = json.loads((sweep / "comparison.json").read_text())
    shares = [arm["groups_with_gradient"] for each in said["curricula"] for arm in each["arms"]]
    table = comparison.table("curricula")
    assert table["groups_with_gradient"].to_list() == pytest.approx(shares)
    picture = comparison.folder.glob("files/media/images/comparison_*.png")
    assert next(picture).read_bytes() == (sweep / "comparison.png").read_bytes()
    assert comparison.summary["verdict/1"].startswith("bucketer.n=3: ")
    assert comparison.summary["runs/completed"] == 4


@pytest.mark.slow
def test_the_comparison_tells_of_jobs_that_failed(run, tmp_path, recorded):
    assert run("-m", *OFFLINE, "bucketer=percentile", "bucketer.n=3,0").returncode == 1
    comparison = recorded(tmp_path / "out")
    table = comparison.table("runs")
    assert table["status"].to_list() == ["completed", "failed"]
    assert "bucketer.n=0" in table["error"][1]
    assert comparison.summary["runs/failed"] == 1


@pytest.mark.slow
def test_a_failure_is_recorded_with_its_exit_code(run, tmp_path, recorded):
    done = run(
        *OFFLINE, "sampler=thompson", "sampler.references=[weak,strong]", "sampler.discount=0.8"
    )
    assert done.returncode == 1
    assert "extra_info.weak" in done.stderr
    found = recorded(tmp_path / "out")
    assert found.exit_code == 1
    assert found.summary["buckets/easy/count"] == 471


@pytest.mark.slow
def test_the_environment_s_mode_counts_where_the_configuration_leaves_it_open(run, tmp_path):
    wrong = run("tracker=wandb", WANDB_MODE="sometimes")
    assert wrong.returncode == 1
    assert "WANDB_MODE=sometimes" in wrong.stderr
    assert run("tracker=wandb", WANDB_MODE="disabled").returncode == 0
    assert not list(tmp_path.glob("out/wandb/offline-run-*"))
    assert "recorded in" in run("tracker=wandb", WANDB_MODE="offline").stderr
    assert len(list(tmp_path.glob("out/wandb/offline-run-*"))) == 1
    assert "recorded in" in run(*OFFLINE, WANDB_MODE="disabled").stderr
    assert len(list(tmp_path.glob("out/wandb/offline-run-*"))) == 2, "the first had ended well"


@pytest.mark.slow
def test_without_it_wandb_is_not_even_imported(run, tmp_path, store):
    script = """
import atexit, runpy, sys
atexit.register(lambda: print("loaded:", *sys.modules))
sys.argv = ["run.py", *sys.argv[1:]]
runpy.run_path("run.py", run_name="__main__")
"""
    from curriculum.config.conf import conf_dir

    places = [f"output_dir={tmp_path}/out", f"store_dir={store}"]
    done = subprocess.run(
        [sys.executable, "-c", script, *places, "trainer.steps=5"],
        cwd=conf_dir().parent,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert "curriculum.trackers.wandb" in loaded
    assert "wandb" not in loaded
    assert (tmp_path / "out" / "metrics.parquet").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("tracker.mode=sometimes", ["tracker.mode=sometimes", "offline"]),
        ("tracker.rows=20000", ["tracker.rows=20000", "10000"]),
        ("tracker.timeout=-1", ["tracker.timeout=-1"]),
    ],
)
def test_mistakes_are_told_before_any_work(run, tmp_path, override, words):
    done = run("tracker=wandb", override)
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "out" / "wandb").exists()
