"""Every row of a file is used or rejected, and belongs to the problem that it names."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.core.records import Rewards, Rollouts
from curriculum.formats.rows import Rows
from curriculum.run.reading import load as load_stored
from curriculum.run.scoring.scoring import read_recorded
from curriculum.store.entries import Store
from curriculum.testing import write_rows

FORMS = ["a.parquet", "a.jsonl"]


def reader(path, cls=data.Rollouts):
    return cls(str(path), "problem_id", "prompt", "reward_model")


def chat(text):
    return [{"role": "system", "content": None}, {"role": "user", "content": text}]


def image(text):
    return [{"role": "user", "content": [{"type": "text", "text": text}, {"type": "image"}]}]


def pass_rates(source):
    """How often a problem was solved, problem by problem."""
    rollouts = Rollouts(source.load().rollouts, source.responses, source.rows)
    groups = Rewards.group(rollouts, read_recorded(rollouts, 0))
    return (groups.sum(groups.values) / groups.counts).tolist()


@pytest.mark.parametrize("prompt", [str, chat, image, lambda text: {"question": text}])
@pytest.mark.parametrize("name", FORMS)
def test_two_sets_with_the_same_data_idx_are_twice_as_many_problems(tmp_path, name, prompt):
    rows = [
        {"prompt": prompt(f"{name} {i}"), "response": "x", "data_idx": i, "reward": reward}
        for name, reward in (("easy", 1.0), ("hard", 0.0))
        for i in range(10)
        for _ in range(4)
    ]
    source = reader(write_rows(tmp_path / name, rows))
    assert len(source.load().problems) == 20
    assert pass_rates(source) == [1.0] * 10 + [0.0] * 10


def test_nested_columns_are_compared_in_every_part(tmp_path):
    prompts = [
        [{"role": "user", "content": "ab"}, {"role": "user", "content": "c"}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": "bc"}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": None}],
        [{"role": "user", "content": "a"}],
        [{"role": "user", "content": "a"}, None],
        [{"role": None, "content": "a"}],
    ]
    order = np.random.default_rng(0).integers(0, len(prompts), 200)
    rows = [{"prompt": prompts[i], "response": "x", "data_idx": 0} for i in order]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=30)
    problems, index, *_ = reader(tmp_path / "a.parquet").load()
    read = [json.loads(text) for text in problems.table["prompt"].to_pylist()]
    assert [read[problem] for problem in index["problem"].to_pylist()] == [
        prompts[i] for i in order
    ]


def test_nested_columns_may_be_empty(tmp_path):
    truths = pa.array([[], None, [[]], []], pa.list_(pa.list_(pa.list_(pa.string()))))
    columns = {"prompt": ["q"] * 4, "response": ["x"] * 4, "ground_truth": truths}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    index = reader(tmp_path / "a.parquet").load().rollouts
    assert index["problem"].to_pylist() == [0, 1, 2, 0]


@pytest.mark.parametrize("name", FORMS)
def test_one_id_with_two_data_idx_is_two_problems(tmp_path, name):
    rows = [
        {"problem_id": "a", "prompt": "q", "response": "x", "data_idx": i, "reward": float(i)}
        for i in (0, 1, 0, 1)
    ]
    assert pass_rates(reader(write_rows(tmp_path / name, rows))) == [0.0, 1.0]


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("place", [0, 3, 7])
@pytest.mark.parametrize("name", FORMS)
def test_a_row_without_prompt_costs_only_itself(tmp_path, name, place, empty):
    rows = [{"problem_id": "a", "prompt": "q", "response": str(i), "reward": 1.0} for i in range(8)]
    rows[place]["prompt"] = empty
    source = reader(write_rows(tmp_path / name, rows))
    stored = load_stored(Store(tmp_path / "store"), "problems", source, max_rejected=1)
    assert stored.rejected is not None
    assert [json.loads(line)["row"] for line in stored.rejected.read_text().splitlines()] == [
        place + 1
    ]
    assert stored.entry.counts == {
        "problems": 1,
        "rollouts": 7,
        "rows": 8,
        "used_rows": 7,
        "rejected_rows": 1,
        "repeated_rows": 0,
        "rows_of_other_steps": 0,
        "rows_of_failed_calls": 0,
        "failed_calls": 0,
    }
    assert pass_rates(source) == [1.0]


@pytest.mark.parametrize("name", FORMS)
def test_rows_of_lists_are_counted_as_rows(tmp_path, name):
    rows = [
        {"prompt": "a", "responses": ["x", "y"], "rewards": ["1", "0.5"]},
        {"prompt": None, "responses": ["x"], "rewards": ["1"]},
        {"prompt": "b", "responses": [], "rewards": []},
        {"prompt": "c", "responses": ["x", "y"], "rewards": ["1", "bad"]},
        {"prompt": "d", "responses": ["x"], "rewards": ["0"]},
    ]
    source = reader(write_rows(tmp_path / name, rows))
    loaded = source.load()
    assert loaded.rows == Rows(read=5, used=3, rejected=2)
    assert [row.row for row in loaded.rejected] == [2, 4]
    assert "no prompt" in loaded.rejected[0].cause and "'bad'" in loaded.rejected[1].cause
    assert len(loaded.problems) == 3
    assert pass_rates(source) == [0.75, 0.0]


@pytest.mark.parametrize("name", FORMS)
def test_problems_without_rollouts_are_counted_too(tmp_path, name):
    rows = [{"prompt": "a", "answer": "1"}, {"prompt": None, "answer": "2"}]
    assert reader(write_rows(tmp_path / name, rows), data.Verl).load().rows == Rows(2, 1, 1)


@pytest.mark.parametrize("name", FORMS)
def test_files_of_nothing_but_rows_without_prompt_hold_no_rollouts(tmp_path, name):
    rows = [{"prompt": "", "response": "x", "reward": 1.0}] * 2
    with pytest.raises(UserError, match=f"holds no rollouts\n.*{name}:1: no prompt"):
        reader(write_rows(tmp_path / name, rows)).load()


def test_a_row_that_is_neither_used_nor_rejected_is_an_error():
    Rows(3, 2, 1).check("a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: 3 rows .* 1 are used and 1 left out"):
        Rows(3, 1, 1).check("a.parquet")
