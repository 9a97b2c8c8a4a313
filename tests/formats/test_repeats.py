"""Rollouts that must not be pooled, and conversations that are one rollout each."""

import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.core.records import Rewards, Rollouts
from curriculum.formats.rows import Rows
from curriculum.run.scoring.scoring import read_recorded
from curriculum.testing import write_rows

FORMS = ["a.parquet", "a.jsonl"]


@pytest.fixture(params=FORMS)
def written(request, tmp_path):
    """Rows in a file of each form, read."""

    def written(rows, **keys):
        return data.Rollouts(str(write_rows(tmp_path / request.param, rows)), **keys)

    return written


def groups(source):
    """Passes and rollouts, problem by problem."""
    rollouts = Rollouts(source.load().rollouts, source.responses, source.rows)
    rewards = Rewards.group(rollouts, read_recorded(rollouts, 0))
    return list(zip(rewards.sum(rewards.values).tolist(), rewards.counts.tolist(), strict=True))


def rollout(prompt, sample, reward, **more):
    return {
        "prompt": prompt,
        "response": f"{prompt}{sample}",
        "sample_idx": sample,
        "reward": reward,
        **more,
    }


def test_a_rollout_that_stands_twice_is_counted_once(written):
    rows = [rollout(prompt, i, float(i > 0)) for prompt in "ab" for i in range(3)]
    source = written([*rows, rows[4], rows[0]])
    assert groups(source) == [(2, 3), (2, 3)]
    assert source.load().rows == Rows(read=8, used=6, rejected=0, repeated=2)


@pytest.mark.parametrize("other", [{"response": "no"}, {"reward": 0.5}])
def test_another_rollout_of_the_same_number_is_an_error(written, other):
    rows = [rollout("a", i, 1.0) for i in range(3)]
    with pytest.raises(UserError, match="rollouts 2 and 4 of the data are both sample 1 of a prob"):
        written([*rows, rows[1] | other]).load()


def test_without_numbers_equal_answers_are_rollouts_of_their_own(written):
    assert groups(written([{"prompt": "a", "response": "1", "reward": 1.0}] * 4)) == [(4, 4)]


def test_training_steps_are_policies_of_their_own(written):
    rows = [
        {"input": prompt, "output": f"{i}", "score": float(step == 20), "gts": "1", "step": step}
        for step in (10, 20)
        for prompt in "ab"
        for i in range(2)
    ]
    rows = [{**row, "response": row["output"]} for row in rows]
    with pytest.raises(
        UserError, match=r"of the training steps 10, 20, and .*data.step=20 .*\[10,20\]"
    ):
        written(rows).load()
    assert groups(written(rows, step=10)) == [(0, 2), (0, 2)]
    source = written(rows, step=20)
    assert groups(source) == [(2, 2), (2, 2)]
    assert source.load().rows == Rows(read=8, used=4, rejected=0, of_other_steps=4)
    with pytest.raises(UserError, match=r"data.step=7: no rollout is of it; there are 10, 20"):
        written(rows, step=7).load()
    assert groups(written(rows[:4])) == [(0, 2), (0, 2)], "one step need not be named"
    without = [{**row, "step": None} for row in rows[:4]]
    with pytest.raises(UserError, match="of the training steps 20 and of none, and"):
        written([*rows[4:], *without]).load()


def test_steps_from_one_to_another_are_pooled_where_that_is_asked_for(written):
    rows = [
        {
            "prompt": prompt,
            "response": str(step),
            "reward": step / 10,
            "step": step,
            "sample_idx": 0,
        }
        for step in (1, 2, 3, 4)
        for prompt in "ab"
    ]
    source = written(rows, step=(2, 3))
    assert groups(source) == [(0.5, 2), (0.5, 2)]
    loaded = source.load()
    assert loaded.rows == Rows(read=8, used=4, rejected=0, of_other_steps=4)
    used = loaded.rollouts["problem"].to_numpy() >= 0
    assert loaded.rollouts["sample_idx"].to_numpy()[used].tolist() == [0, 0, 1, 1]
    with pytest.raises(UserError, match=r"data.step=\[5, 9\]: no rollout is of it; there are 1, 2"):
        written(rows, step=(5, 9)).load()


@pytest.mark.parametrize("step", ["10", 10.0])
def test_a_step_is_a_whole_number_however_it_is_written(written, step):
    rows = [{"prompt": "a", "response": "1", "reward": 1.0, "step": step}] * 2
    assert groups(written(rows, step=10)) == [(2, 2)]


def test_a_step_of_problems_is_theirs(tmp_path):
    rows = [{"prompt": "a", "answer": "1", "step": "add"}]
    assert data.Verl(str(write_rows(tmp_path / "a.jsonl", rows))).load().rows == Rows(1, 1, 0)
    with pytest.raises(UserError, match=r"a\.jsonl:1: step is no whole number: 'add'"):
        path = write_rows(tmp_path / "a.jsonl", [rows[0] | {"response": "1"}])
        data.Rollouts(str(path)).load()


def test_problems_of_other_steps_alone_are_none_of_the_run(written):
    rows = [
        {"prompt": f"{step}{i}", "responses": ["1", "2"], "rewards": [1.0, 0.0], "step": step}
        for step in (10, 20)
        for i in range(2)
    ]
    loaded = written(rows, step=20).load()
    assert loaded.problems.table["prompt"].to_pylist() == ['"200"', '"201"']
    assert loaded.rows == Rows(read=4, used=2, rejected=0, of_other_steps=2)
    assert groups(written(rows, step=20)) == [(1, 2), (1, 2)]


def test_the_same_question_about_another_picture_is_another_problem(written):
    rows = [
        {"prompt": "what?", "images": [f"{i // 2}.png"], "response": f"{i}", "reward": float(i > 1)}
        for i in range(4)
    ]
    assert groups(written(rows)) == [(0, 2), (2, 2)]


@pytest.mark.parametrize(
    ("other", "told"),
    [({"prompt": "2 + 3"}, "prompt"), ({"reward_model": {"ground_truth": "5"}}, "ground truth")],
)
def test_an_id_of_two_problems_is_an_error_that_names_both_rows(written, other, told):
    row = {"problem_id": "p", "prompt": "2 + 2", "reward_model": {"ground_truth": "4"}}
    rows = [row | {"response": f"{i}", "reward": 1.0} for i in range(3)]
    with pytest.raises(UserError, match=rf"a\.\w+:3 and .*a\.\w+:1 are .*=p, and their {told}s di"):
        written([*rows[:2], rows[2] | other]).load()


def test_a_ground_truth_that_comes_late_is_that_of_the_problem(written):
    row = {"problem_id": "p", "prompt": "2 + 2"}
    truths = [None, "4", "5"]
    rows = [
        row | {"reward_model": {"ground_truth": truth}, "response": f"{truth}", "reward": 1.0}
        for truth in truths
    ]
    assert written(rows[:2]).load().problems.table["ground_truth"].to_pylist() == ['"4"']
    with pytest.raises(UserError, match="their ground truths differ"):
        written(rows).load()


def test_numbers_that_are_made_are_no_others_own(written):
    rows = [
        {"prompt": "a", "response": f"{i}", "sample_idx": number, "reward": 1.0}
        for i, number in enumerate([1, 2, None, None])
    ]
    assert written(rows).load().rollouts["sample_idx"].to_pylist() == [1, 2, 3, 4]


def test_an_id_holds_where_a_prompt_is_written_in_two_ways(written):
    chat = [{"role": "user", "content": "2 + 2"}]
    rows = [
        {"problem_id": "p", "prompt": chat, "response": "4", "reward": 1.0},
        {"problem_id": "p", "prompt": chat, "response": "5", "reward": 0.0},
    ]
    assert groups(written(rows)) == [(1, 2)]


def test_a_conversation_is_one_rollout_and_its_last_turn_the_answer(tmp_path):
    turns = [
        {"role": "assistant", "content": "let me see"},
        {"role": "tool", "content": "4"},
        {"role": "assistant", "content": "four"},
    ]
    rows = [{"prompt": "2 + 2", "response": turns, "reward": float(i)} for i in range(2)]
    source = data.Rollouts(str(write_rows(tmp_path / "a.jsonl", rows)))
    assert groups(source) == [(1, 2)]
    assert [each for batch in source.responses() for each in batch.to_pylist()] == ["four"] * 2


def test_messages_end_with_the_answer(tmp_path):
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2"}]
    rows = [
        {"messages": [*asked, {"role": "assistant", "content": f"{i}"}], "reward": float(i == 4)}
        for i in range(3, 6)
    ]
    source = data.Rollouts(str(write_rows(tmp_path / "a.jsonl", rows)))
    assert groups(source) == [(1, 3)]
    assert "assistant" not in source.load().problems.table["prompt"][0].as_py()
    assert [each for batch in source.responses() for each in batch.to_pylist()] == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("column", "values"), [("model", ["llama", "qwen"]), ("temperature", [0.6, 1.0])]
)
@pytest.mark.parametrize("names", [["a.jsonl"], ["a.parquet"], ["a.jsonl", "b.parquet"]])
def test_rollouts_of_several_policies_are_never_pooled(tmp_path, column, values, names):
    rows = [
        {"prompt": "q", "response": f"{i}", "reward": 1.0, column: values[i % 2]} for i in range(4)
    ]
    parts = [rows] if len(names) == 1 else [rows[::2], rows[1::2]]
    paths = [write_rows(tmp_path / name, part) for name, part in zip(names, parts, strict=True)]
    with pytest.raises(UserError, match=f"column {column} says {values[0]}, {values[1]}, and no"):
        data.Rollouts([str(path) for path in paths]).load()
    alone = write_rows(tmp_path / f"alone_{names[0]}", rows[::2])
    assert data.Rollouts(str(alone)).load().rows.used == 2
