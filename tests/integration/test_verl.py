"""verl itself, where it is installed."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("verl", reason="verl is not installed; CI has an environment with it")

RESPONSES = ["so it is #### 42", "#### 41", "42", ""]


def test_rewards_are_verls_own(run, tmp_path):
    from verl.utils.reward_score import default_compute_score

    rows = [
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
    failed = pd.read_parquet(tmp_path / "out" / "aside" / "failed_rollouts.parquet")
    assert "NotImplementedError" in failed["cause"][0]
