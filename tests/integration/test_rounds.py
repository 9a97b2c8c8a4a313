"""`budget=sequential` through run.py, with real rollouts of a model of random weights."""

import signal

import pandas as pd
import pytest

pytest.importorskip("torch", reason="torch is not installed; CI has an environment with it")
pytest.importorskip("transformers", reason="transformers is not installed; CI has it")

# Passes as often as the ground truth says, whatever the model answers.
REWARD = """
import hashlib

def compute_score(data_source, solution_str, ground_truth, extra_info):
    drawn = int(hashlib.sha256(solution_str.encode()).hexdigest()[:8], 16) / 16**8
    return float(drawn < float(ground_truth))
"""
RATES = [0.0] * 20 + [0.05] * 10 + [0.35] * 10 + [0.65] * 10 + [1.0] * 20


@pytest.fixture
def options(tmp_path, model):
    (tmp_path / "reward.py").write_text(REWARD)
    rows = [{"prompt": f"{i}+1", "ground_truth": str(rate)} for i, rate in enumerate(RATES)]
    pd.DataFrame(rows).to_json(tmp_path / "problems.jsonl", orient="records", lines=True)
    return [
        *("data=verl", f"data.path={tmp_path}/problems.jsonl", "generator=transformers"),
        *(f"model.path={model}", "generator.max_new_tokens=12", "budget=sequential"),
        "budget.cap=32",
        *("reward=function", f"reward.path={tmp_path}/reward.py", "bucketer=pass_rate"),
    ]


def test_a_run_in_rounds_says_what_it_spent_and_what_is_open(run, tmp_path, options, read_result):
    # So few rollouts don't tell a pass rate of 0 from one of 0.02.
    asked = ["budget.unknown_hard=true", "budget.keep=[0.02,0.9]", f"store_dir={tmp_path}/store"]
    done = run(*options, *asked)
    assert done.returncode == 0, done.stderr
    result = read_result(tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "budget.parquet")
    problems = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert len(table) == len(problems) == 70
    assert result["budget"]["rollouts"] == table["n"].sum() == result["total_rollouts"]
    assert result["counts"]["generated_rollouts"] == table["n"].sum()
    assert table["n"].tolist() == problems["n"].tolist()
    assert table["c"].tolist() == problems["c"].tolist()
    assert table["n"].min() >= 4 and table["n"].max() <= 32
    assert (table["undecided"] == (table["probability"] < 0.99)).all()
    assert f"{result['budget']['rollouts_a_problem']:.1f} rollouts a problem" in done.stdout
    answers = table["pass_rate_is"].value_counts().to_dict()
    assert result["budget"]["answers"] == answers
    inside, outside = answers["0.02 to 0.9"], answers["0 to 0.02 or 0.9 to 1"]
    assert f"0 to 0.02 or 0.9 to 1: {outside}, 0.02 to 0.9: {inside}" in done.stdout
    unknown = table["undecided"] & (table["c"] == 0)
    assert unknown.any()
    assert ((problems["bucket"] == "unknown_hard") == unknown).all()
    assert result["buckets"]["unknown_hard"]["count"] == unknown.sum()

    again = run(*options, *asked)
    assert "generating" not in again.stderr
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "problems.parquet"), problems)


def test_a_run_killed_between_and_within_rounds_ends_like_one_never_killed(
    tmp_path, options, run_killed
):
    def killed(name, at_parts):
        places = [f"output_dir={tmp_path}/{name}", f"store_dir={tmp_path}/store_{name}"]
        shorter = ["generator.batch_size=56", "generator.max_new_tokens=4", "budget.cap=12"]
        return run_killed(at_parts, *options, *shorter, *places)

    assert killed("whole", []) == [0]
    first_round = len(RATES) * 4 // 56
    # Within the first round, and after it: what the first kill had done is not done again.
    codes = killed("killed", [3, first_round - 2 + 1])
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0]
    for name in ("problems.parquet", "budget.parquet", "buckets.parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "killed" / name), pd.read_parquet(tmp_path / "whole" / name)
        )


def test_a_budget_in_rounds_and_a_fixed_one_are_compared_in_a_sweep(run, tmp_path, options):
    sweep = [each for each in options if not each.startswith("budget")]
    done = run("-m", *sweep, "budget=fixed,sequential", "num_samples=8", f"store_dir={tmp_path}/s")
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "out" / "comparison.parquet")
    assert table["choice"].tolist() == ["budget=fixed", "budget=sequential"]
    assert table["rollouts"][0] == 560


def test_rounds_end_at_the_rollouts_where_that_is_asked(run, tmp_path, options):
    done = run(*options, "until=rollouts")
    assert done.returncode == 0, done.stderr
    flat = pd.read_parquet(tmp_path / "out" / "rollouts.parquet")
    table = pd.read_parquet(tmp_path / "out" / "budget.parquet")
    assert flat.groupby("data_idx").size().tolist() == table["n"].tolist()
    assert not flat.duplicated(["data_idx", "sample_idx"]).any()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("generator.shards=2", "run it without generator.shards"),
        ("bucketer=adaptive", "budget.keep=[0.1,0.9]"),
        ("generator.do_sample=false", "num_samples=1"),
        ("bucketer=percentile metric=difficulty_score", "metric=pass_rate"),
        ("bucketer.edges=x.json", "bucketer.thresholds sets them"),
    ],
)
def test_what_rounds_can_not_do_is_said_before_anything_is_made(run, options, option, message):
    done = run(*options, *option.split())
    assert done.returncode == 1
    assert message in done.stderr and "generating" not in done.stderr
