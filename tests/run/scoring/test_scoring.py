"""Whatever a reward does, every rollout gets a number or a cause, and its neighbours theirs."""

import importlib.util
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.core.records import Rewards, Rollouts
from curriculum.rewards import Function
from curriculum.run.replaying import adopt
from curriculum.run.scoring.kept import Kept
from curriculum.run.scoring.scores import TooManyFailures, UnscoredSources
from curriculum.run.scoring.scoring import (
    Scoring,
    failures_in,
    read_recorded,
    score,
)

FUNCTION = """
import os
import sys
import time


class OwnError(Exception):
    pass


def compute_score(data_source, solution_str, ground_truth, extra_info, **kwargs):
    if solution_str == "raise":
        raise ValueError("no answer found")
    if solution_str == "own error":
        raise OwnError("no answer found")
    if solution_str == "other time limit":
        raise TimeoutError("the server did not answer")
    if solution_str == "exit":
        sys.exit(3)
    if solution_str == "die":
        os._exit(7)
    if solution_str == "hang":
        time.sleep(60)
    if solution_str == "none":
        return None
    if solution_str in ("nan", "inf"):
        return float(solution_str)
    return float(solution_str == ground_truth)
"""
CAUSES = {
    "raise": "ValueError: no answer found",
    "own error": "OwnError: no answer found",
    "other time limit": "TimeoutError: the server did not answer",
    "die": "the scorer's process died (exit code 7)",
    "hang": "no reward within 1 s (reward.time_limit)",
    "none": "TypeError: float() argument must be a string or a real number, not 'NoneType'",
    "nan": "ValueError: the reward is not a finite number",
    "inf": "ValueError: the reward is not a finite number",
    None: "no response",
}


def read(folder, responses, rewards=None):
    """Problems and rollouts, two of a problem, whose ground truth is "2"."""
    rows = [
        {"prompt": f"q{i // 2}", "response": text, "ground_truth": "2", "reward": 0.0}
        for i, text in enumerate(responses)
    ]
    for row, reward in zip(rows, rewards or [], strict=False):
        row["reward"] = reward
    path = folder / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    loaded = source.load()
    return loaded.problems, Rollouts(loaded.rollouts, source.responses, source.rows)


def function(folder, code=FUNCTION, **reward_kwargs):
    path = folder / "reward.py"
    path.write_text(code)
    return Function(str(path), "compute_score", reward_kwargs)


def nothing_kept(folder):
    return Kept(Path(tempfile.mkdtemp(dir=folder)))


def run(folder, responses, reward=None, workers=1, time_limit=1.0, max_failures=100):
    problems, rollouts = read(folder, responses)
    scoring = Scoring(workers, time_limit, max_failures)
    return score(reward or function(folder), problems, rollouts, scoring, nothing_kept(folder))


def expected(responses):
    return [None if text in CAUSES else float(text == "2") for text in responses]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Responses with every misbehaviour between good ones, and what scoring them gave."""
    responses = [text for bad in CAUSES for text in ("2", bad, "3")]
    return responses, run(tmp_path_factory.mktemp("mixed"), responses, workers=2)


def test_neighbours_of_failures_keep_their_reward(mixed):
    responses, table = mixed
    assert table["reward"].to_pylist() == expected(responses)


@pytest.mark.parametrize("response", CAUSES, ids=str)
def test_a_failure_has_its_cause(mixed, response):
    responses, table = mixed
    assert failures_in(table)[responses.index(response)] == CAUSES[response]


def test_nothing_but_failures_has_a_cause(mixed):
    responses, table = mixed
    assert list(failures_in(table)) == [i for i, text in enumerate(responses) if text in CAUSES]


def test_failures_are_no_rollouts_of_their_problem(mixed, tmp_path):
    responses, table = mixed
    _, rollouts = read(tmp_path, responses)
    grouped = Rewards.group(rollouts, table)
    good = [i for i, text in enumerate(responses) if text not in CAUSES]
    problems, counts = np.unique([i // 2 for i in good], return_counts=True)
    assert grouped.problem.tolist() == problems.tolist()
    assert grouped.counts.tolist() == counts.tolist()


@pytest.mark.parametrize("first", ["hang", "die"])
def test_the_first_of_many_costs_only_itself(tmp_path, first):
    responses = [first] + ["2", "3"] * 80
    table = run(tmp_path, responses, workers=2)
    assert table["reward"].to_pylist() == expected(responses)
    assert failures_in(table) == {0: CAUSES[first]}


@pytest.mark.slow
def test_the_time_limit_is_a_rollout_s_whatever_it_is_scored_with(tmp_path):
    code = FUNCTION.replace("    if solution_str", "    time.sleep(0.15)\n    if solution_str", 1)
    responses = ["2", "3"] * 5
    table = run(tmp_path, responses, function(tmp_path, code), workers=2)
    assert table["reward"].to_pylist() == expected(responses)


def test_a_reward_that_exits_costs_only_its_rollout(tmp_path):
    table = run(tmp_path, ["2", "exit", "3"])
    assert table["reward"].to_pylist() == [1.0, None, 0.0]
    assert list(failures_in(table)) == [1]


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise ValueError('broken')", r"can't be loaded: ValueError: broken"),
        ("def compute_score(:\n    pass", r"can't be loaded: SyntaxError: .*reward.py, line 1"),
        ("print('bye')\nraise SystemExit(3)", "SystemExit: 3; printed last: bye"),
    ],
)
def test_a_file_that_can_t_be_loaded_is_one_error(tmp_path, code, cause):
    with pytest.raises(UserError, match=cause) as caught:
        run(tmp_path, ["2", "3"], function(tmp_path, code))
    assert not isinstance(caught.value, TooManyFailures)


@pytest.mark.slow
def test_slow_samples_cost_a_chunk_each_worker_and_not_every_chunk(tmp_path):
    code = f"""
import time

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    with open({str(tmp_path / "calls")!r}, "a") as calls:
        calls.write(".")
    time.sleep(0.05)
    return float(solution_str)
"""
    table = run(tmp_path, ["1"] * 512, function(tmp_path, code), time_limit=1)
    assert table["reward"].null_count == 0
    wasted = (tmp_path / "calls").stat().st_size - 512
    assert 0 < wasted < 4 * 20


def test_a_reward_may_start_processes_of_its_own(tmp_path):
    code = """
import multiprocessing

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    with multiprocessing.Pool(1) as pool:
        return pool.apply(float, (solution_str,))
"""
    table = run(tmp_path, ["2", "3"], function(tmp_path, code), time_limit=20)
    assert table["reward"].to_pylist() == [2.0, 3.0]


def test_a_file_that_kills_its_process_at_import_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"can't be loaded: .* died \(exit code 3\)"):
        run(tmp_path, ["2", "3"], function(tmp_path, "import os\nos._exit(3)"))


@pytest.fixture
def reward_class(tmp_path, monkeypatch):
    """Make a reward, importable as worker processes need it, of the body of its class."""

    def make(name, body):
        head = "from dataclasses import dataclass\n\nfrom curriculum.rewards import Reward\n"
        (tmp_path / f"reward_{name}.py").write_text(
            f"{head}\n\n@dataclass(frozen=True)\nclass Own(Reward):\n{body}"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        return importlib.import_module(f"reward_{name}").Own()

    return make


@pytest.mark.slow
def test_a_reward_that_wants_one_process_gets_one_unless_told(tmp_path, reward_class):
    body = """
    processes = 1

    def score(self, samples):
        import os
        return [float(os.getpid())] * len(samples)
"""
    reward = reward_class("process", body)
    many = ["2"] * 64 * 20
    assert len(set(run(tmp_path, many, reward, None, 60)["reward"].to_pylist())) == 1
    assert len(set(run(tmp_path, many, reward, 2, 60)["reward"].to_pylist())) == 2


def test_a_reward_says_how_long_it_may_take_to_load(tmp_path, reward_class):
    body = """
    loading = 0.5

    def score(self, samples):
        import time
        time.sleep(60)
"""
    with pytest.raises(UserError, match=r"did not load within 0\.5 s"):
        run(tmp_path, ["2"], reward_class("loading", body))


def test_what_is_wrong_with_a_reward_ends_the_run_before_any_sample(tmp_path):
    reward = function(tmp_path, "def other_name():\n    pass")
    with pytest.raises(UserError, match="has no function 'compute_score'") as caught:
        run(tmp_path, ["2"] * 200, reward)
    assert not isinstance(caught.value, TooManyFailures)


def test_the_wrong_number_of_rewards_is_a_failure(tmp_path, reward_class):
    body = """
    def score(self, samples):
        return [1.0 for sample in samples if sample.response != "drop"]
"""
    table = run(tmp_path, ["2", "drop", "3"], reward_class("one_short", body))
    assert table["reward"].to_pylist() == [1.0, None, 1.0]
    assert failures_in(table) == {1: "ValueError: 0 rewards for 1 samples"}


def test_too_many_failures_stop_early_with_the_first_causes(tmp_path):
    responses = ["2", "raise", None, "nan", "none", *["hang"] * 20]
    start = time.perf_counter()
    with pytest.raises(TooManyFailures) as caught:
        run(tmp_path, responses, time_limit=30, max_failures=2)
    assert time.perf_counter() - start < 15
    assert set(caught.value.failures) == {1, 2, 3}
    message = str(caught.value)
    assert "3 rollouts" in message and "reward.max_failures=2" in message
    for row, cause in ((1, CAUSES["raise"]), (2, CAUSES[None]), (3, CAUSES["nan"])):
        assert f"rollout {row}: {cause}" in message


def test_as_many_failures_as_allowed_are_no_error(tmp_path):
    table = run(tmp_path, [None, "2", None], max_failures=2)
    assert len(failures_in(table)) == 2


@pytest.mark.parametrize("recorded", [False, True])
def test_rollouts_kept_aside_have_neither_reward_nor_failure(tmp_path, recorded):
    nan = float("nan")
    problems, rollouts = read(tmp_path, ["2", None, "2", "raise"], [1.0, nan, 1.0, nan])
    index = adopt(rollouts.index, np.array([0, -1]))
    rollouts = Rollouts(index, rollouts.responses, rollouts.rows)
    table = (
        read_recorded(rollouts, 100)
        if recorded
        else score(
            function(tmp_path), problems, rollouts, Scoring(1, 1.0, 100), nothing_kept(tmp_path)
        )
    )
    assert table["reward"].to_pylist() == [1.0, None, None, None]
    assert list(failures_in(table)) == [1]


def test_recorded_rewards_without_a_number_are_failures(tmp_path):
    _, rollouts = read(tmp_path, ["a", "b", "c", "d"], [1.0, None, float("nan"), 0])
    table = read_recorded(rollouts, 100)
    assert table["reward"].to_pylist() == [1.0, None, None, 0.0]
    assert list(failures_in(table)) == [1, 2]


def test_too_many_missing_recorded_rewards_are_an_error(tmp_path):
    _, rollouts = read(tmp_path, ["a", "b"], [None, None])
    with pytest.raises(TooManyFailures, match="rollout 0: no recorded reward"):
        read_recorded(rollouts, 1)


def test_failures_of_the_rounds_before_count_too(tmp_path):
    scoring = Scoring(1, 1.0, 3)
    reward = function(tmp_path)
    problems, rollouts = read(tmp_path, ["raise", "2"])
    assert (
        len(
            failures_in(
                score(reward, problems, rollouts, scoring, nothing_kept(tmp_path), earlier=2)
            )
        )
        == 1
    )
    message = r"4 rollouts could not be scored, more than reward.max_failures=3"
    with pytest.raises(TooManyFailures, match=message):
        score(reward, problems, rollouts, scoring, nothing_kept(tmp_path), earlier=3)


def test_a_later_round_of_failures_alone_is_no_reason_to_stop(tmp_path):
    reward, scoring = function(tmp_path), Scoring(1, 1.0, 100)
    problems, rollouts = read(tmp_path, ["raise", "raise"])
    assert (
        len(
            failures_in(
                score(reward, problems, rollouts, scoring, nothing_kept(tmp_path), earlier=0)
            )
        )
        == 2
    )
    with pytest.raises(TooManyFailures, match="and not one could"):
        score(reward, problems, rollouts, scoring, nothing_kept(tmp_path))


NEEDS_A_MODULE = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    if data_source == "geometry":
        import {module}
    if solution_str.startswith("import"):
        exec(solution_str)
    return float(solution_str == ground_truth)
"""


def of_sources(folder, **responses):
    """Problems and rollouts, one of a problem, whose ground truth is "2"."""
    rows = [
        {"prompt": f"{name} {i}", "data_source": name, "response": text, "ground_truth": "2"}
        for name, texts in responses.items()
        for i, text in enumerate(texts)
    ]
    path = folder / "sources.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    loaded = source.load()
    return loaded.problems, Rollouts(loaded.rollouts, source.responses, source.rows)


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("no_such_grader.deep", "pip install no_such_grader,"),
        ("verl.utils", "'.[verl]'"),
    ],
)
def test_a_module_that_is_missing_ends_the_run_and_says_what_to_install(tmp_path, module, command):
    if importlib.util.find_spec(module.split(".")[0]):
        pytest.skip(f"{module} is installed")
    problems, rollouts = of_sources(tmp_path, sums=["2"] * 3, geometry=["2"])
    reward = function(tmp_path, NEEDS_A_MODULE.format(module=module))
    with pytest.raises(UserError, match=module.split(".")[0]) as caught:
        score(reward, problems, rollouts, Scoring(1, 5.0, 100), nothing_kept(tmp_path))
    assert command in str(caught.value)


@pytest.mark.parametrize("code", ["import no_such_grader", "from json import no_such_name"])
def test_a_reward_that_can_t_be_imported_for_want_of_a_module_ends_the_run(tmp_path, code):
    with pytest.raises(UserError, match="no_such_") as caught:
        run(tmp_path, ["2", "3"], function(tmp_path, code))
    assert not isinstance(caught.value, TooManyFailures)


def test_a_module_that_a_response_asks_for_is_the_failure_of_that_response(tmp_path):
    reward = function(tmp_path, NEEDS_A_MODULE.format(module="json"))
    table = run(tmp_path, ["2", "import made_up_by_a_model", "3"], reward)
    assert table["reward"].to_pylist() == [1.0, None, 0.0]
    assert "made_up_by_a_model" in failures_in(table)[1]


def test_a_data_source_of_failures_alone_ends_the_run(tmp_path):
    problems, rollouts = of_sources(
        tmp_path, sums=["2", "raise", "2"], geometry=["raise", "nan"], empty=[None]
    )
    reward, scoring = function(tmp_path), Scoring(1, 5.0, 100)
    with pytest.raises(UnscoredSources) as caught:
        score(reward, problems, rollouts, scoring, nothing_kept(tmp_path))
    said = str(caught.value)
    assert "geometry (2 rollouts)" in said and "empty (1 rollouts)" in said
    assert "sums" not in said and "rollout 1:" not in said
    assert f"rollout 3: {CAUSES['raise']}" in said and f"rollout 5: {CAUSES[None]}" in said
    assert list(caught.value.failures) == [1, 3, 4, 5]


def test_a_data_source_of_which_one_rollout_has_a_reward_is_no_error(tmp_path):
    problems, rollouts = of_sources(tmp_path, sums=["2"], geometry=["raise", "3", "raise"])
    scoring = Scoring(1, 5.0, 100)
    table = score(function(tmp_path), problems, rollouts, scoring, nothing_kept(tmp_path))
    assert table["reward"].to_pylist() == [1.0, None, 0.0, None]


def test_a_function_that_takes_its_arguments_apart_spoils_no_other_sample(tmp_path):
    code = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(ground_truth.pop("answer") == solution_str and extra_info.pop("level") == 1)
"""
    truth, info = {"answer": "2"}, {"level": 1}
    rows = [{"prompt": "q", "ground_truth": truth, "extra_info": info}] * 8
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps({**row, "response": "2"}) + "\n" for row in rows))
    source = data.Rollouts(str(path))
    loaded = source.load()
    rollouts = Rollouts(loaded.rollouts, source.responses, source.rows)
    reward, scoring = function(tmp_path, code), Scoring(1, 5.0)
    table = score(reward, loaded.problems, rollouts, scoring, nothing_kept(tmp_path))
    assert table["reward"].to_pylist() == [1.0] * 8
