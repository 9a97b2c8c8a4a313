"""`reward=math_verify`, and ground truths that are no mathematics."""

import pandas as pd
import pytest

from curriculum.core.records import Sample
from curriculum.rewards import MathVerify
from curriculum.testing import write_rows

pytest.importorskip("math_verify", reason="math-verify is not installed")


def sample(response, truth):
    return Sample("math", "q", response, truth, None)


@pytest.mark.parametrize(
    ("response", "truth", "reward"),
    [
        ("so \\boxed{0.5}", "1/2", 1.0),
        ("so \\boxed{7}", "\\frac{14}{2}", 1.0),
        ("so \\boxed{7}", "8", 0.0),
        ("so \\boxed{7}", ["6", "7"], 1.0),
        ("so \\boxed{7}", ["5", "6"], 0.0),
        ("so \\boxed{12}", "12 apples", 1.0),
        ("nothing", "7", 0.0),
        ("so \\boxed{7}", ["7", "see figure"], 1.0),
    ],
)
def test_the_last_answer_equals_the_truth_or_one_of_them(response, truth, reward):
    assert MathVerify().score([sample(response, truth)]) == [reward]


@pytest.mark.parametrize(
    "truth", ["see figure", "", "<answer>7</answer>", "sin x", None, [], ["not given"]]
)
def test_a_truth_that_is_no_mathematics_is_no_wrong_answer(truth):
    with pytest.raises(ValueError, match="the ground truth is no mathematics: "):
        MathVerify().score([sample("so \\boxed{7}", truth)])


def test_it_costs_its_own_rollouts_alone(run, tmp_path):
    rows = [
        {"prompt": f"{i}", "response": "so \\boxed{7}", "reward_model": {"ground_truth": truth}}
        for i, truth in enumerate(["7", "see figure", "8"])
    ]
    path = write_rows(tmp_path / "a.jsonl", rows)
    done = run("data=rollouts", f"data.path={path}", "reward=math_verify", "reward.workers=1")
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert table["mean_reward"].tolist() == [1.0, 0.0]
    failed = pd.read_parquet(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")
    assert failed["cause"].str.contains("no mathematics: 'see figure'").all() and len(failed) == 1
