"""Several runs share the scoring of one set of rollouts."""

import json

import pandas as pd
import pytest

CODE = """
import pathlib

def compute_score(data_source, solution_str, ground_truth, extra_info):
    with open(pathlib.Path(__file__).with_suffix(".log"), "a") as log:
        log.write(solution_str + "\\n")
    if solution_str == "7":
        raise ValueError("no seven")
    return float(int(solution_str) % 3 == 0)
"""
ROLLOUTS = 300  # five chunks


@pytest.fixture
def command(tmp_path):
    rows = [
        {"prompt": f"q{i // 4}", "response": str(i), "ground_truth": ""} for i in range(ROLLOUTS)
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "reward.py").write_text(CODE)
    reward = ["reward=function", f"reward.path={tmp_path}/reward.py", "reward.workers=1"]
    return ["data=rollouts", f"data.path={path}", *reward, "report.examples=0"]


def scored(tmp_path):
    """Responses that the function has seen."""
    return sorted(map(int, (tmp_path / "reward.log").read_text().split()))


def test_shards_score_what_one_run_scores_and_each_rollout_once(
    run, read_result, tmp_path, command
):
    folders = [f"output_dir={tmp_path}/whole", f"store_dir={tmp_path}/store_whole"]
    assert run(*command, *folders).returncode == 0
    once = scored(tmp_path)
    assert once == sorted([*range(ROLLOUTS), *range(7), 7]), "after a failure, one by one"
    (tmp_path / "reward.log").unlink()

    shards = ["-m", "reward.shards=3", "reward.shard=0,1,2"]
    folders = [f"output_dir={tmp_path}/shards", f"store_dir={tmp_path}/store"]
    done = run(*shards, *command, *folders)
    assert done.returncode == 0, done.stderr
    assert scored(tmp_path) == sorted([*once, 7]), "whoever finishes tries again what failed"
    first, second, last = (read_result(tmp_path / "shards" / str(shard)) for shard in range(3))
    # chunks of 64: the first shard has the first and the fourth, the second the second and the rest
    assert (first["scored_rollouts"], second["scored_rollouts"]) == (128, 128 + 64 + 44)
    assert last["total_rollouts"] == ROLLOUTS - 1
    for name in ("problems.parquet", "rejects/failed_rollouts.parquet"):
        of_shards = pd.read_parquet(tmp_path / "shards" / "2" / name)
        pd.testing.assert_frame_equal(of_shards, pd.read_parquet(tmp_path / "whole" / name))


def test_a_run_without_shards_scores_what_they_left(run, tmp_path, command):
    folders = [f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store"]
    assert run(*command, *folders, "reward.shards=2", "reward.shard=1").returncode == 0
    mine = scored(tmp_path)
    assert mine == [*range(64, 128), *range(192, 256)]
    assert run(*command, *folders).returncode == 0
    assert sorted({*scored(tmp_path)} - {*mine}) == sorted({*range(ROLLOUTS)} - {*mine})


def test_what_failed_for_a_while_is_scored_when_it_is_well_again(
    run, read_result, tmp_path, command
):
    (tmp_path / "reward.py").write_text(
        CODE.replace("raise ValueError", "if DOWN: raise ValueError").replace(
            "import pathlib", 'import os, pathlib\nDOWN = "DOWN" in os.environ'
        )
    )
    shards = [f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store", "reward.shards=2"]
    assert run(*command, *shards, "reward.shard=0", DOWN="1").returncode == 0
    assert run(*command, *shards, "reward.shard=1").returncode == 0
    assert read_result(tmp_path / "out")["total_rollouts"] == ROLLOUTS


def test_a_shard_alone_says_how_much_is_left_and_what_comes_after_all(
    run, read_result, tmp_path, command
):
    asked = [*command, f"store_dir={tmp_path}/store"]
    done = run(*asked, "reward.shards=2", "reward.shard=1")
    assert "128 of 300 rollouts are scored; whoever adds the last goes on" in done.stderr
    after = f"python run.py {' '.join(asked)}"
    assert f"\nNext: {after}  # to go on, once all shards are there\n" in done.stderr
    assert read_result(tmp_path / "out")["next"]["command"] == after

    last = run(*asked, "reward.shards=2", "reward.shard=0")
    assert "\nNext: python run.py preset=curriculum " in last.stderr
    assert "reward.shard" not in last.stderr.partition("\nNext: ")[2]


def test_a_shard_that_there_is_not_is_an_error(run):
    done = run("reward.shards=2", "reward.shard=2")
    assert done.returncode == 1 and "shards count from 0" in done.stderr


def test_recorded_rewards_are_not_shared(run, tmp_path):
    path = tmp_path / "rewarded.jsonl"
    path.write_text(json.dumps({"prompt": "q", "response": "a", "reward": 1.0}) + "\n")
    done = run("data=rollouts", f"data.path={path}", "reward.shards=2")
    assert done.returncode == 1 and "none is to be computed" in done.stderr


def test_rounds_are_not_scored_in_shards(run):
    generator = ["generator=openai", "generator.url=http://127.0.0.1:9/v1", "model.path=some"]
    done = run(*generator, "budget=sequential", "reward.shards=2")
    assert done.returncode == 1 and "without reward.shards" in done.stderr
