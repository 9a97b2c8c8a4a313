"""Rewards are computed once, and again when anything that they depend on changed."""

import json

import pytest

from curriculum import data, rewards
from curriculum.records import Rollouts
from curriculum.rewards.scoring import Scoring, TooManyFailures
from curriculum.store import Store

CODE = """
def compute_score(data_source, solution_str, ground_truth, extra_info, right=1.0):
    return right if solution_str == ground_truth else 0.0
"""


@pytest.fixture
def load(tmp_path):
    """Score two rollouts through the store, with whatever is other than usual."""
    rows = [{"prompt": "1 + 1?", "response": text, "ground_truth": "2"} for text in ("2", "3")]
    rollout_file = tmp_path / "rollouts.jsonl"
    rollout_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = data.Rollouts(str(rollout_file), "problem_id", "prompt", "reward_model")
    loaded = source.load()
    rollouts = Rollouts(loaded.rollouts, source.responses, source.rows)
    path = tmp_path / "reward.py"

    def load(code=CODE, time_limit=5.0, max_failures=0, made_of=("abc",), **reward_kwargs):
        path.write_text(code)
        return rewards.load_stored(
            Store(tmp_path / "store"),
            rewards.Function(str(path), "compute_score", reward_kwargs),
            loaded.problems,
            rollouts,
            Scoring(1, time_limit, max_failures),
            made_of,
        )

    return load


def test_the_same_reward_of_the_same_rollouts_is_computed_once(load):
    table, stage = load()
    again, same = load(max_failures=7)
    assert table["reward"].to_pylist() == [1.0, 0.0]
    assert stage.counts == {"rewards": 2, "failures": 0}
    assert (stage.reused, same.reused) == (False, True)
    assert again.equals(table)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": CODE.replace("else 0.0", "else 0.25")}, [1.0, 0.25]),
        ({"right": 0.5}, [0.5, 0.0]),
        ({"made_of": ("def",)}, [1.0, 0.0]),
    ],
    ids=["code", "knob", "rollouts"],
)
def test_another_reward_or_other_rollouts_are_scored_anew(load, change, expected):
    _, before = load()
    table, stage = load(**change)
    assert not stage.reused and stage.fingerprint != before.fingerprint
    assert table["reward"].to_pylist() == expected


def test_too_many_failures_store_nothing(load, tmp_path):
    broken = CODE.replace("return", "raise ValueError(solution_str)\n    return")
    with pytest.raises(TooManyFailures):
        load(code=broken, max_failures=1)
    assert not [path for path in (tmp_path / "store").iterdir() if path.is_dir()]
    with pytest.raises(TooManyFailures, match="and not one could"):
        load(code=broken, max_failures=2)
    assert not [path for path in (tmp_path / "store").iterdir() if path.is_dir()]


def test_recorded_rewards_are_no_stage(tmp_path):
    rows = [{"prompt": "1 + 1?", "response": "2", "reward": each} for each in (1.0, None)]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    loaded = source.load()
    table, stage = rewards.load_stored(
        Store(tmp_path / "store"),
        rewards.Recorded(),
        loaded.problems,
        Rollouts(loaded.rollouts, source.responses, source.rows),
        Scoring(1, 1.0, 1),
        [],
    )
    assert stage is None and not (tmp_path / "store").exists()
    assert table["reward"].to_pylist() == [1.0, None]
