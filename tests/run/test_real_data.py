"""Real rollouts with known results; CURRICULUM_TEST_DATA names the folder they are in."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import comb


@pytest.fixture
def measured(run, tmp_path):
    """The table of problems that a run on some rollouts leaves."""

    def measured(path, *overrides):
        done = run("data=rollouts", f"data.path={path}", *overrides)
        assert done.returncode == 0, done.stderr
        return pd.read_parquet(tmp_path / "out" / "problems.parquet")

    return measured


def test_humaneval_has_the_published_pass_at_100(measured, test_data):
    path = test_data / "humaneval_codegen16b" / "long.parquet"
    table = measured(path, "metric=unbiased_pass_at_k", "metric.k=100")
    assert len(table) == 164
    assert table["pass@100"].mean() == pytest.approx(0.738, abs=0.0005)
    assert table["pass@1"].to_numpy() == pytest.approx(table["mean_reward"].to_numpy(), abs=1e-12)
    counted = pd.read_parquet(path).groupby("problem_id")["reward"].sum()
    assert table.set_index("problem_id")["c"].to_dict() == counted.astype(int).to_dict()


def test_cruxeval_keeps_its_two_tasks_apart(measured, test_data):
    table = measured(test_data / "cruxeval" / "long.parquet", "bucketer=pass_rate")
    assert table.groupby("data_source")["n"].agg(["size", "sum"]).to_numpy().tolist() == [
        [800, 8000],
        [800, 8000],
    ]


def test_ties_of_game_24_leave_buckets_equal(run, measured, test_data, tmp_path):
    """It has three models' samples under the same numbers: they are not pooled."""
    path = test_data / "game24_tot" / "long.parquet"
    refused = run("data=rollouts", f"data.path={path}")
    assert "rollouts of several policies: its column model says gpt-4 cot" in refused.stderr
    rollouts = pd.read_parquet(path)
    path = tmp_path / "one.parquet"
    rollouts[rollouts["model"] == "gpt-4 cot t=0.7"].to_parquet(path)
    table = measured(path, "bucketer=percentile", "bucketer.n=7")
    assert table["mean_reward"].nunique() < len(table) / 2
    sizes = table["bucket"].value_counts()
    assert sizes.max() - sizes.min() <= 1
    order = [f"level_{i}" for i in range(7)]
    means = table.groupby("bucket")["mean_reward"].mean()[order]
    assert (np.diff(means) <= 0).all()


@pytest.mark.slow
def test_math_verify_agrees_with_the_recorded_verdicts_of_gsm8k(run, tmp_path, test_data):
    pytest.importorskip("math_verify", reason="needs the extra: math")
    systems = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
    lines = (test_data / "gsm8k" / "example_model_solutions.jsonl").read_text().splitlines()
    rows = [
        {
            "prompt": line["question"],
            "response": line[system]["solution"],
            "data_idx": i,
            "sample_idx": j,
            "original_ground_truth": line["ground_truth"].rsplit("A: ", 1)[1],
            "original_is_correct": line[system]["is_correct"],
        }
        for i, line in enumerate(map(json.loads, lines))
        for j, system in enumerate(systems)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "gsm8k.parquet")
    path = f"data.path={tmp_path}/gsm8k.parquet"
    done = run("preset=analyze_rollouts", path, "reward=math_verify", "metric=mean_reward")
    assert done.returncode == 0, done.stderr
    scored = pd.read_parquet(tmp_path / "out" / "rollouts_with_rewards.parquet")
    assert len(scored) == 5276
    assert ((scored["reward"] == 1) == scored["original_is_correct"]).mean() > 0.995


def test_problems_people_call_hard_are_a_little_harder_for_a_model(measured, test_data):
    path = test_data / "math_cot_100" / "long.parquet"
    table = measured(path).set_index("problem_id")
    rollouts = pd.read_parquet(path)
    level = rollouts.groupby("problem_id")["level"].first()
    by_level = table["mean_reward"].groupby(level).mean()
    assert by_level.to_dict() == pytest.approx(rollouts.groupby("level")["reward"].mean().to_dict())
    # Weakly: the model solves most of the hundred every time, whatever their level.
    rank = table["mean_reward"].corr(level, method="spearman")
    assert rank == pytest.approx(-0.167, abs=0.001)


def test_a_dry_run_meets_as_many_gradients_as_eight_of_the_ten_rollouts(
    run, read_result, tmp_path, test_data
):
    """One epoch without learning; expected without any prior: each choice of 8 among 10."""
    path = test_data / "cruxeval" / "long.parquet"
    one_epoch = ["trainer.steps=25", "trainer.learning_rate=0", "trainer.plot=false"]
    done = run("data=rollouts", f"data.path={path}", "sampler=thompson", *one_epoch)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    alike = comb(table["c"], 8) + comb(table["n"] - table["c"], 8)
    arms = read_result(tmp_path / "out")["training"]["arms"]
    control = arms["uniform"]["groups_with_gradient"]
    expected = (1 - alike / comb(table["n"], 8)).mean()
    assert control == pytest.approx(expected, abs=0.03)  # 1,600 groups: 3 s.e.
    assert arms["uniform"]["never_drawn"] == 0
    assert arms["thompson"]["groups_with_gradient"] > control + 0.1
