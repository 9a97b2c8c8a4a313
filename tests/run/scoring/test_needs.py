"""A reward is never asked about a rollout that lacks what it needs, and says so in time."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pytest

from curriculum.core.errors import UserError
from curriculum.core.records import Sample
from curriculum.rewards import Reward
from curriculum.run import pipeline
from curriculum.run.context import Context
from curriculum.testing import check_reward

# A reward that would score a rollout without a ground truth, and say that it is wrong or right.
FUNCTION = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(solution_str == str(ground_truth))
"""


@pytest.fixture
def scored(tmp_path, composed_values):
    """What comes of some rows: rollouts with a reward, their mean, the causes of the others."""

    def scored(rows, *overrides, path="rollouts.jsonl"):
        path = tmp_path / path
        if path.suffix == ".parquet":
            pd.DataFrame(rows).to_parquet(path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folders = [f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store", "reward.workers=1"]
        read = ["data=rollouts", f"data.path={path}", "trainer=none"]
        values = composed_values(*read, *folders, *overrides)
        (tmp_path / "out").mkdir(exist_ok=True)
        option = next(each for each in overrides if each.startswith("reward="))
        choices = {"reward": option.removeprefix("reward="), "metric": "mean_reward"}
        choices |= {"bucketer": "percentile", "sampler": "thompson"}
        context = Context.of(values, tmp_path / "out", choices)
        pipeline.run(values, context)
        failed = tmp_path / "out" / "rejects" / "failed_rollouts.parquet"
        causes = pd.read_parquet(failed)["cause"].tolist() if failed.exists() else []
        results = context.ledger.result().results
        return results["total_rollouts"], results["mean_reward"], causes

    return scored


def rollouts(*truths, response="2", **columns):
    """Two rollouts of a problem for each ground truth, the second of them wrong."""
    return [
        {"prompt": f"q{i}", "response": text, "ground_truth": truth, **columns}
        for i, truth in enumerate(truths)
        for text in (response, "wrong")
    ]


@pytest.fixture
def function(tmp_path):
    (tmp_path / "reward.py").write_text(FUNCTION)
    return ["reward=function", f"reward.path={tmp_path}/reward.py"]


def test_without_any_ground_truth_nothing_is_scored_and_the_columns_are_named(scored):
    rows = rollouts(None, None, response="None", difficulty=3, topic="sums")
    with pytest.raises(UserError) as caught:
        scored(rows, "reward=exact_match")
    said = str(caught.value)
    assert "reward=exact_match" in said and "2 problems" in said
    assert "prompt" in said and "difficulty" in said and "topic" in said
    assert "data.reward_fn_key=COLUMN" in said


@pytest.mark.parametrize("column", ["solution", "label", "gold", "expected_answer", "Target"])
def test_the_column_that_has_it_is_suggested(scored, column):
    rows = [{"prompt": "q", "response": "2", "level": 3, column: "2"}]
    with pytest.raises(UserError, match=f"data.reward_fn_key={column}"):
        scored(rows, "reward=exact_match")


@pytest.mark.parametrize("path", ["rollouts.jsonl", "rollouts.parquet"])
def test_the_suggestion_works(scored, path):
    rows = [{"prompt": "q", "response": text, "level": 3, "solution": "2"} for text in "23"]
    with pytest.raises(UserError) as caught:
        scored(rows, "reward=exact_match", path=path)
    suggested = "data.reward_fn_key=solution"
    assert suggested in str(caught.value)
    assert scored(rows, "reward=exact_match", suggested, path=path) == (2, 0.5, [])


def test_a_column_that_would_not_be_read_is_not_suggested(scored):
    # As in verl, the key names the source where reward_model is an object.
    rows = rollouts(None, reward_model={"style": "rule"}, solution="2")
    with pytest.raises(UserError, match="reward_fn_key=COLUMN"):
        scored(rows, "reward=exact_match")


def test_problems_without_a_ground_truth_among_others_fail_with_the_cause(scored, function):
    rows = rollouts("2", None, "2", response="2") + rollouts("None", response="None")
    rows[2]["response"] = "None"  # which is the same text as that of a ground truth that is None
    for reward in (["reward=exact_match"], function):
        assert scored(rows, *reward) == (6, 0.5, ["no ground truth"] * 2)


def test_failures_for_want_of_a_ground_truth_count_against_the_limit(scored):
    with pytest.raises(UserError, match=r"reward\.max_failures=1") as caught:
        scored(rollouts("2", None), "reward=exact_match", "reward.max_failures=1")
    assert "no ground truth" in str(caught.value)


def test_a_response_that_is_none_is_a_failure_whatever_else_is_missing(scored, function):
    rows = rollouts("2", "2", None)
    rows[0]["response"] = rows[4]["response"] = None
    causes = ["no response", "no response and no ground truth", "no ground truth"]
    assert scored(rows, *function) == (3, 1 / 4, causes)
    without = [*function, "reward.needs_ground_truth=false"]
    assert scored(rows, *without) == (4, 1 / 6, ["no response"] * 2)


def test_a_function_that_does_without_a_ground_truth_says_so(scored, function):
    rows = rollouts(None, None, response="None")
    with pytest.raises(UserError, match=r"reward\.needs_ground_truth=false"):
        scored(rows, *function)
    assert scored(rows, *function, "reward.needs_ground_truth=false") == (4, 0.5, [])


@pytest.mark.parametrize(
    ("option", "module", "needed"),
    [
        ("math_verify", "math_verify", "ground truth"),
        ("instruction_following", "lm_eval", "ground truth"),
        ("reasoning_gym", "reasoning_gym", "extra info"),
        ("verl", "verl", "ground truth"),
    ],
)
def test_rewards_of_libraries_refuse_too(scored, option, module, needed):
    pytest.importorskip(module, reason=f"reward={option} needs {module}; CI has it elsewhere")
    with pytest.raises(UserError, match=f"reward={option} needs the {needed}"):
        scored(rollouts(None, None), f"reward={option}")


def test_no_rollouts_are_generated_for_a_reward_that_can_not_score_them(scored, tmp_path):
    (tmp_path / "problems.jsonl").write_text('{"prompt": "1 + 1?", "solution": "2"}\n')
    nowhere = ["generator=openai", "generator.url=http://127.0.0.1:9/v1", "model.path=none"]
    problems = ["data=verl", f"data.path={tmp_path}/problems.jsonl"]
    with pytest.raises(UserError, match="reward_fn_key=solution"):
        scored([], "reward=exact_match", *problems, *nowhere)


def test_no_rollouts_are_generated_for_a_function_that_can_not_be_loaded(scored, tmp_path):
    (tmp_path / "problems.jsonl").write_text('{"prompt": "1 + 1?", "ground_truth": "2"}\n')
    (tmp_path / "reward.py").write_text("def compute_score(")
    nowhere = ["generator=openai", "generator.url=http://127.0.0.1:9/v1", "model.path=none"]
    problems = ["data=verl", f"data.path={tmp_path}/problems.jsonl"]
    with pytest.raises(UserError, match=r"can't be loaded: SyntaxError: .*reward\.py, line 1"):
        scored([], "reward=function", f"reward.path={tmp_path}/reward.py", *problems, *nowhere)


@dataclass(frozen=True)
class Misspelt(Reward):
    """It asks for what no sample has."""

    needs: ClassVar = ("response", "groundtruth")

    def score(self, samples):
        return [0.0 for _ in samples]


def test_the_check_of_a_reward_knows_what_a_sample_has():
    samples = [Sample("sums", "1 + 1?", "2", "2", None)]
    with pytest.raises(AssertionError, match="groundtruth"):
        check_reward(Misspelt, samples)
