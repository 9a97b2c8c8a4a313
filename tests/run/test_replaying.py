"""Rollouts on disk find their problems again."""

import json

import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.run.replaying import adopt, match


def load(path, rows, cls=data.Verl):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return cls(str(path), "problem_id", "prompt", "reward_model").load()


def chat(question):
    return [{"role": "user", "content": question}]


def verl_rows(*questions, **extra):
    return [
        {
            "data_source": "sums",
            "prompt": chat(question),
            "reward_model": {"style": "rule", "ground_truth": question.upper()},
            **{key: f"{value}{i}" for key, value in extra.items()},
        }
        for i, question in enumerate(questions)
    ]


def matched(tmp_path, rollouts, problems):
    replayed = load(tmp_path / "rollouts.jsonl", rollouts, data.Rollouts)
    own = load(tmp_path / "problems.jsonl", problems)
    return match(replayed.problems, own.problems).tolist()


def test_by_own_id_whatever_the_text(tmp_path):
    problems = verl_rows("a", "b", "c", problem_id="p")
    rollouts = [
        {"prompt": "<user>c<assistant>", "response": "x", "problem_id": "p2"},
        {"prompt": "<user>a<assistant>", "response": "x", "problem_id": "p0"},
    ]
    assert matched(tmp_path, rollouts, problems) == [2, 0]


def test_by_content_in_another_form(tmp_path):
    rollouts = [
        {"prompt": each, "response": "x", "data_source": "sums", "ground_truth": each.upper()}
        for each in ("c", "a")
    ]
    assert matched(tmp_path, rollouts, verl_rows("a", "b", "c")) == [2, 0]


def test_by_content_where_only_the_problems_have_own_ids(tmp_path):
    problems = verl_rows("a", "b", problem_id="p")
    rollouts = [{**row, "response": "x"} for row in verl_rows("b", "a")]
    assert matched(tmp_path, rollouts, problems) == [1, 0]


def test_by_data_idx_with_the_same_prompt_where_prompts_repeat(tmp_path):
    rollouts = [
        {"prompt": "b", "response": "x", "data_idx": 1},
        {"prompt": "a", "response": "x", "data_idx": 2},
        {"prompt": "a", "response": "x", "data_idx": 3},
    ]
    assert matched(tmp_path, rollouts, verl_rows("a", "b", "a")) == [1, 2, 0]


def test_by_a_prompt_that_only_one_problem_has(tmp_path):
    rollouts = [{"prompt": text, "response": "x"} for text in ("a", "b", "c")]
    another = verl_rows("a")[0] | {"data_source": "others"}
    assert matched(tmp_path, rollouts, [*verl_rows("b", "a"), another]) == [-1, 0, -1]


def test_each_of_them_by_what_it_has(tmp_path):
    problems = verl_rows("a", "b", "c", problem_id="p")
    rollouts = [
        {"prompt": "a", "response": "x", "data_idx": 0},
        {"prompt": chat("b"), "response": "x", "data_source": "sums", "ground_truth": "B"},
        {"prompt": "rendered", "response": "x", "problem_id": "p2"},
        {"prompt": "nowhere", "response": "x"},
    ]
    assert matched(tmp_path, rollouts, problems) == [0, 1, 2, -1]


def test_problems_that_read_the_same_are_told_apart_by_their_number(tmp_path):
    problems = verl_rows("a", "a", "b")
    rollouts = [
        {**row, "response": "x", "data_idx": i} for i, row in enumerate(verl_rows("a", "a", "b"))
    ]
    assert matched(tmp_path, rollouts, problems) == [0, 1, 2]


def test_rollouts_of_other_problems_are_an_error(tmp_path):
    rollouts = [{"prompt": "z", "response": "x"}]
    with pytest.raises(UserError, match=r"none of the replayed rollouts \(generator\.path\)"):
        matched(tmp_path, rollouts, verl_rows("a", "b"))


def test_adopted_rollouts_keep_their_order_and_rewards(tmp_path):
    rollouts = [
        {**row, "response": "x", "reward": float(i)}
        for i, row in enumerate(verl_rows("b", "a", "z", "b"))
    ]
    replayed = load(tmp_path / "rollouts.jsonl", rollouts, data.Rollouts)
    own = load(tmp_path / "problems.jsonl", verl_rows("a", "b"))
    index = adopt(replayed.rollouts, match(replayed.problems, own.problems))
    assert index.schema.equals(replayed.rollouts.schema)
    assert index["problem"].to_pylist() == [1, 0, -1, 1]
    assert index["reward"].to_pylist() == [0.0, 1.0, 2.0, 3.0]
    assert index["sample_idx"].to_pylist() == [0, 0, 0, 1]


def test_repeated_rows_of_a_problem_are_one_for_rollouts_that_know_the_prompt_alone(tmp_path):
    rollouts = [{"prompt": name, "response": "x"} for name in ("b", "a")]
    assert matched(tmp_path, rollouts, verl_rows("a", "b", "a")) == [1, 0]


def test_a_prompt_with_two_answers_is_nobody_s_without_more(tmp_path):
    first, second, other = verl_rows("a", "a", "b")
    second = second | {"reward_model": {"style": "rule", "ground_truth": "another"}}
    rollouts = [{"prompt": name, "response": "x"} for name in ("a", "b")]
    assert matched(tmp_path, rollouts, [first, second, other]) == [-1, 2]
