"""Problems made on the spot."""

import json
from typing import Any

import pytest

from curriculum.core.errors import UserError

reasoning_gym = pytest.importorskip(
    "reasoning_gym", reason="reasoning-gym is not installed; CI has it in another environment"
)


def load(**knobs):
    from curriculum.data import ReasoningGym

    own: dict[str, Any] = {"tasks": None, "size": 3, "seed": 5} | knobs
    own |= {"id_key": "problem_id", "prompt_key": "prompt", "reward_fn_key": "reward_model"}
    return ReasoningGym(**own).load().problems.table.to_pylist()


def test_the_demo_s_tasks_in_all_their_levels():
    rows = load()
    assert len(rows) == 4 * 6 * 3
    assert len({row["problem_id"] for row in rows}) == len(rows)
    levels = [json.loads(row["extra_info"])["level"] for row in rows]
    assert levels == [level for level in range(1, 7) for _ in range(3)] * 4
    assert rows == load()
    assert not {row["prompt"] for row in rows[3:18]} & {
        row["prompt"] for row in load(seed=900)[3:18]
    }


def test_any_task_with_its_settings_has_a_right_answer():
    rows = load(tasks={"gcd": {"max_value": 9}, "leg_counting": None})
    assert [row["data_source"] for row in rows] == [
        *["reasoning_gym/gcd"] * 3,
        *["reasoning_gym/leg_counting"] * 3,
    ]
    made = reasoning_gym.create_dataset("gcd", size=3, seed=5, max_value=9)
    for row, item in zip(rows, made, strict=False):
        assert json.loads(row["prompt"]) == item["question"]
        assert made.score_answer(json.loads(row["ground_truth"]), item) == 1


@pytest.mark.parametrize("tasks", [{"nope": None}, {"gcd": {"nope": 1}}])
def test_a_task_or_setting_there_is_not_is_named(tasks):
    with pytest.raises(UserError, match=rf"data\.tasks\.{next(iter(tasks))}"):
        load(tasks=tasks)


def test_more_problems_than_the_demo_has_is_an_error(run):
    done = run("data=reasoning_gym", "data.size=82", "generator=transformers")
    assert done.returncode == 1
    assert "81 different problems" in done.stderr and "Traceback" not in done.stderr
