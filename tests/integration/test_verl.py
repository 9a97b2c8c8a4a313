"""verl itself, where it is installed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("verl", reason="verl is not installed; CI has an environment with it")

RESPONSES = ["so it is #### 42", "#### 41", "42", ""]


def test_rewards_are_verls_own(run, tmp_path):
    from verl.utils.reward_score import default_compute_score

    rows: list[dict[str, Any]] = [
        {
            "prompt": [{"role": "user", "content": f"{truth - 2} + 2 = ?"}],
            "data_source": "openai/gsm8k",
            "reward_model": {"style": "rule", "ground_truth": str(truth)},
            "response": response,
        }
        for truth in (41, 42, 43)
        for response in RESPONSES
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run(
        "preset=analyze_rollouts", f"data.path={tmp_path}", "reward=verl", "metric=mean_reward"
    )
    assert done.returncode == 0, done.stderr
    scored = pd.read_parquet(tmp_path / "out" / "rollouts_with_rewards.parquet")
    own = [
        default_compute_score(
            row["data_source"], row["response"], row["reward_model"]["ground_truth"]
        )
        for row in rows
    ]
    assert scored["reward"].tolist() == own
    assert np.mean(own) == pytest.approx(2 / 12)


def test_a_source_verl_does_not_know_is_a_failure_with_its_cause(run, tmp_path):
    rows = [{"prompt": "1 + 1 = ?", "data_source": "mine", "answer": "2", "response": "2"}]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run("data=rollouts", f"data.path={tmp_path}/rollouts.parquet", "reward=verl")
    assert done.returncode == 1
    failed = pd.read_parquet(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")
    assert "NotImplementedError" in failed["cause"][0]


# math_dapo's dicts: score 1 or -1, acc true or false, pred. Two of the first four are right, one
# of the others.
MATH = {"7": ["Answer: 7", "Answer: 8", "so 7", "Answer: 7"], "8": ["", "7", "Answer: 8", "eight"]}
SOURCES = ("math_dapo", "math", "aime2025")


@pytest.mark.parametrize(
    ("arguments", "means"),
    [
        (["reward=verl"], [0.5, 0.25]),
        (["reward=verl", "reward.manager=naive"], [0.5, 0.25]),
        (["reward=verl", "reward.key=score"], [0, -0.5]),
    ],
    ids=["null", "naive", "score"],
)
def test_of_a_scorer_s_dict_acc_counts_unless_told(run, read_result, tmp_path, arguments, means):
    rows = [
        {"prompt": truth, "data_source": source, "ground_truth": truth, "response": response}
        for source in SOURCES
        for truth, responses in MATH.items()
        for response in responses
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run(
        *("data=rollouts", f"data.path={tmp_path}/rollouts.parquet"),
        *("data.reward_fn_key=ground_truth", *arguments),
    )
    assert done.returncode == 0, done.stderr
    problems = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert problems["mean_reward"].tolist() == means * len(SOURCES)
    assert problems["pass_rate"].tolist() == [0.5, 0.25] * len(SOURCES)
    assert read_result(tmp_path / "out")["mean_pass_rate"] == 0.375


def test_a_key_that_is_not_in_the_dict_is_a_failure_that_names_those_there_are(run, tmp_path):
    rows = [{"prompt": "7", "data_source": "math", "answer": "7", "response": "Answer: 7"}]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run(
        *("data=rollouts", f"data.path={tmp_path}/rollouts.parquet"),
        *("reward=verl", "reward.key=accuracy"),
    )
    assert done.returncode == 1
    assert "no accuracy (reward.key) among score, acc, pred" in done.stderr
