"""Rewards are computed once, and again when anything that they depend on changed."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from curriculum import data, rewards
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.records import Rollouts
from curriculum.run.scoring.entries import Work, recorded
from curriculum.run.scoring.entries import load as load_stored
from curriculum.run.scoring.scores import TooManyFailures, UnscoredSources
from curriculum.run.scoring.scoring import Scoring
from curriculum.store.entries import Store

CODE = """
def compute_score(data_source, solution_str, ground_truth, extra_info, right=1.0):
    return right if solution_str == ground_truth else 0.0
"""


@pytest.fixture
def load(tmp_path):
    """Score rollouts through the store, two unless told, with whatever is other than usual."""
    rollout_file = tmp_path / "rollouts.jsonl"
    source = data.Rollouts(str(rollout_file), "problem_id", "prompt", "reward_model")
    path = tmp_path / "reward.py"

    def load(
        code=CODE,
        time_limit=5.0,
        max_failures=0,
        made_of=("abc",),
        responses=("2", "3"),
        **reward_kwargs,
    ):
        rows = [{"prompt": "1 + 1?", "response": text, "ground_truth": "2"} for text in responses]
        rollout_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        loaded = source.load()
        rollouts = Rollouts(loaded.rollouts, source.responses, source.rows)
        path.write_text(code)
        return load_stored(
            Store(tmp_path / "store"),
            Work(
                rewards.Function(str(path), "compute_score", reward_kwargs),
                loaded.problems,
                rollouts,
                Scoring(1, time_limit, max_failures),
                made_of,
            ),
        )

    return load


def test_the_same_reward_of_the_same_rollouts_is_computed_once(load):
    table, stage = load()
    again, same = load(max_failures=7)
    assert table["reward"].to_pylist() == [1.0, 0.0]
    assert stage.counts == {"rewards": 2, "failures": 0}
    assert (stage.reused, same.reused) == (False, True)
    assert again.equals(table)


@pytest.mark.slow
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
    rollouts = Rollouts(loaded.rollouts, source.responses, source.rows)
    work = Work(rewards.Recorded(), loaded.problems, rollouts, Scoring(1, 1.0, 1), [])
    table = recorded(work)
    assert table["reward"].to_pylist() == [1.0, None]


def test_recorded_rewards_of_one_data_source_alone_end_the_run(tmp_path):
    rows = [
        {"prompt": name, "data_source": name, "response": "2", "reward": reward}
        for name, reward in (("sums", 1.0), ("geometry", None))
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    loaded = source.load()
    rollouts = Rollouts(loaded.rollouts, source.responses, source.rows)
    with pytest.raises(UnscoredSources, match=r"geometry \(1 rollouts\)"):
        recorded(Work(rewards.Recorded(), loaded.problems, rollouts, Scoring(1, 1.0, 1), []))


NEEDS_A_GRADER = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    with open(__file__ + ".calls", "a") as calls:
        calls.write(solution_str)
    if solution_str == "3":
        from grader_installed_later import reward
        return reward
    return float(solution_str == ground_truth)
"""


def test_after_a_missing_module_is_installed_the_run_goes_on_from_there(load, tmp_path):
    before = ["2"] * 64  # a chunk of their own
    with pytest.raises(UserError, match="grader_installed_later"):
        load(code=NEEDS_A_GRADER, max_failures=100, responses=[*before, "3"])
    site = tmp_path / "site"
    site.mkdir()
    (site / "grader_installed_later.py").write_text("reward = 0.5\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        table, stage = load(code=NEEDS_A_GRADER, max_failures=100, responses=[*before, "3"])
    assert table["reward"].to_pylist() == [1.0] * 64 + [0.5]
    assert stage.counts == {"rewards": 65, "failures": 0}
    assert (tmp_path / "reward.py.calls").read_text() == "2" * 64 + "33"


COUNTING = """
import os
import time
from pathlib import Path

HERE = Path(__file__).parent


def compute_score(data_source, solution_str, ground_truth, extra_info):
    with (HERE / "calls").open("a") as calls:
        calls.write(solution_str + "\\n")
    while solution_str == "300" and not (HERE / "go").exists():
        time.sleep(0.05)
    return float(int(solution_str) % 2)
"""


@pytest.mark.slow
def test_a_run_that_is_stopped_while_it_scores_goes_on_from_there(tmp_path):
    (tmp_path / "reward.py").write_text(COUNTING)
    rows = [{"prompt": f"q{i // 4}", "response": str(i), "ground_truth": "1"} for i in range(400)]
    rollouts = tmp_path / "rollouts.jsonl"
    rollouts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [
        *(sys.executable, "run.py", "data=rollouts", f"data.path={rollouts}", "trainer=none"),
        *("reward=function", f"reward.path={tmp_path}/reward.py", "reward.workers=1"),
        *("reward.time_limit=100", f"store_dir={tmp_path}/store", f"output_dir={tmp_path}/out"),
    ]
    calls, root = tmp_path / "calls", conf_dir().parent
    first = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE)
    while not calls.exists() or "300\n" not in calls.read_text():
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    first.communicate()
    (tmp_path / "go").touch()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "result.json").read_text())["mean_reward"] == 0.5
    times = Counter(map(int, calls.read_text().split()))
    assert all(times[i] == 1 for i in (*range(256), *range(301, 400)))  # four whole chunks of 64
    assert times[300] == 2
    assert not list((tmp_path / "store").glob("rewards-*/kept*"))
