"""When two rows are the same problem, and which id, source and ground truth it gets."""

import json
import uuid

import pytest

from curriculum import data
from curriculum.testing import write_rows

ROW = {"prompt": "1 + 1?", "response": "2", "data_source": "sums", "ground_truth": "2"}


def load(path, cls=data.Rollouts, **keys):
    keys = {"id_key": "problem_id", "prompt_key": "prompt", "reward_fn_key": "reward_model"} | keys
    return cls(path=path if isinstance(path, list) else str(path), **keys).load()


def chat(question, **more):
    return [{"role": "user", "content": question, **more}]


def ids(loaded):
    return loaded.problems.ids.to_pylist()


@pytest.fixture(params=["parquet", "jsonl"])
def name(request):
    return f"a.{request.param}"


def test_an_id_is_a_uuid_of_the_content(tmp_path, name):
    (one,) = ids(load(write_rows(tmp_path / name, [ROW])))
    assert uuid.UUID(one).version == 5
    assert ids(load(write_rows(tmp_path / name, [ROW | {"response": "3", "step": 1}]))) == [one]


@pytest.mark.parametrize("change", ["prompt", "data_source", "ground_truth"])
def test_problems_differ_by_source_prompt_and_ground_truth(tmp_path, name, change):
    other = ROW | {change: "another"}
    loaded = load(write_rows(tmp_path / name, [ROW, other, ROW]))
    assert loaded.rollouts["problem"].to_pylist() == [0, 1, 0]
    assert len(set(ids(loaded))) == 2


def test_the_same_problem_has_the_same_id_in_every_form(tmp_path):
    verl = {
        "data_source": "sums",
        "prompt": chat("1 + 1?", name=None),
        "reward_model": {"style": "rule", "ground_truth": "2"},
        "extra_info": {"index": 0},
    }
    original = {f"original_{key}": value for key, value in verl.items() if key != "prompt"}
    long = {"prompt": chat("1 + 1?"), "response": "2", **original}
    wide = {"messages": chat("1 + 1?"), "response": ["2"], "reward": [{"score": 1}]}
    wide |= {"data_source": "sums", "ground_truth": "2"}
    dump = {"input": "1 + 1?", "output": "2", "gts": "2", "score": 1.0, "data_source": "sums"}
    forms = {
        "string.jsonl": ROW,
        "chat.parquet": ROW | {"prompt": chat("1 + 1?")},
        "long.parquet": long,
        "long.jsonl": long,
        "wide.jsonl": wide,
        "dump.jsonl": dump,
        "responses.parquet": {**verl, "responses": ["2", "3"]},
    }
    found = {name: ids(load(write_rows(tmp_path / name, [row]))) for name, row in forms.items()}
    found["train.parquet"] = ids(load(write_rows(tmp_path / "train.parquet", [verl]), data.Verl))
    assert len({tuple(each) for each in found.values()}) == 1, found


def test_a_chat_of_several_messages_is_not_its_last_one(tmp_path, name):
    system = [{"role": "system", "content": "Be brief."}, *chat("1 + 1?")]
    rows = [ROW | {"prompt": chat("1 + 1?")}, ROW | {"prompt": system}]
    assert len(set(ids(load(write_rows(tmp_path / name, rows))))) == 2


def test_what_a_message_does_not_have_makes_no_difference(tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, *chat("1 + 1?")]
    with_nulls = [{**message, "name": None, "tool_calls": None} for message in messages]
    jsonl = ids(load(write_rows(tmp_path / "a.jsonl", [ROW | {"prompt": messages}])))
    parquet = ids(load(write_rows(tmp_path / "a.parquet", [ROW | {"prompt": with_nulls}])))
    assert jsonl == parquet


def test_own_ids_are_kept(tmp_path, name):
    rows = [
        ROW | {"uid": 7, "sample_idx": 0},
        ROW | {"uid": 8, "sample_idx": 0},
        ROW | {"uid": 7, "sample_idx": 1},
    ]
    loaded = load(write_rows(tmp_path / name, rows), id_key="uid")
    assert ids(loaded) == ["7", "8"]
    assert loaded.rollouts["problem"].to_pylist() == [0, 1, 0]


def test_the_original_s_id_counts_too(tmp_path, name):
    rows = [ROW | {"original_problem_id": "a"}, ROW | {"original_problem_id": "b"}]
    loaded = load(write_rows(tmp_path / name, rows))
    assert ids(loaded) == ["a", "b"]
    assert loaded.rollouts["problem"].to_pylist() == [0, 1]


def test_rows_without_an_own_id_are_told_apart_by_content(tmp_path, name):
    rows = [
        ROW | {"problem_id": "mine"},
        ROW | {"problem_id": None, "prompt": "2 + 2?"},
        ROW | {"problem_id": None, "prompt": "3 + 3?"},
    ]
    loaded = load(write_rows(tmp_path / name, rows))
    assert ids(loaded)[0] == "mine"
    assert loaded.rollouts["problem"].to_pylist() == [0, 1, 2]


def test_data_sets_that_both_count_from_zero_don_t_mix(tmp_path, name):
    rows = [ROW | {"data_idx": 0}, ROW | {"data_idx": 0, "prompt": "6 * 7?", "data_source": "t"}]
    loaded = load(write_rows(tmp_path / name, rows))
    assert loaded.rollouts["problem"].to_pylist() == [0, 1]
    assert [loaded.problems.samples([i])[i].prompt for i in range(2)] == ["1 + 1?", "6 * 7?"]


def test_files_that_both_count_from_zero_don_t_mix(tmp_path, name):
    first = write_rows(tmp_path / f"1{name}", [ROW | {"data_idx": 0}])
    second = write_rows(tmp_path / f"2{name}", [ROW | {"data_idx": 0, "prompt": "6 * 7?"}])
    loaded = load([str(first), str(second)])
    assert loaded.rollouts["problem"].to_pylist() == [0, 1]


@pytest.mark.parametrize(
    "column",
    [
        {"messages": chat("1 + 1?")},
        {"prompt": "1 + 1?", "reward_model": {"style": "rule", "ground_truth": "2"}},
        {"prompt": "1 + 1?", "answer": "2"},
        {"prompt": "1 + 1?", "original_answer": "2"},
        {"prompt": "1 + 1?", "original_reward_model": {"style": "rule", "ground_truth": "2"}},
    ],
    ids=lambda column: list(column)[-1],
)
def test_rows_are_grouped_by_whatever_makes_their_problem(tmp_path, name, column):
    def replaced(value):
        return json.loads(json.dumps(value).replace('"2"', '"3"').replace("1 + 1", "2 + 1"))

    *shared, last = column
    other = {**{key: column[key] for key in shared}, last: replaced(column[last])}
    rows = [{**each, "response": "2"} for each in (column, other, column)]
    loaded = load(write_rows(tmp_path / name, rows))
    assert loaded.rollouts["problem"].to_pylist() == [0, 1, 0]


def test_the_same_row_of_another_data_idx_is_a_problem_of_its_own(tmp_path, name):
    loaded = load(write_rows(tmp_path / name, [ROW | {"data_idx": i} for i in (4, 5, 4)]))
    first, second = ids(loaded)
    assert second == f"{first}#2"
    assert loaded.rollouts["problem"].to_pylist() == [0, 1, 0]


def test_samples_in_several_lines_are_of_one_problem(tmp_path, name):
    rows = [{"prompt": "1 + 1?", "responses": ["2", "3"], "rewards": [1.0, 0.0]}] * 3
    loaded = load(write_rows(tmp_path / name, rows))
    assert len(loaded.problems) == 1
    assert loaded.rollouts["sample_idx"].to_pylist() == list(range(6))
    assert loaded.rollouts["reward"].to_pylist() == [1.0, 0.0] * 3


def test_the_same_problem_twice_is_two_where_there_are_no_rollouts(tmp_path, name):
    rows = [{"prompt": "1 + 1?"}] * 3
    first, second, third = ids(load(write_rows(tmp_path / name, rows), data.Verl))
    assert (second, third) == (f"{first}#2", f"{first}#3")


def test_own_ids_that_look_like_duplicates_stay_unique(tmp_path, name):
    rows = [{"prompt": each, "problem_id": each} for each in ("a", "a", "a#2")]
    found = ids(load(write_rows(tmp_path / name, rows), data.Verl))
    assert len(set(found)) == 3 and found[0] == "a"


def test_prompt_key_names_the_column_of_the_prompt(tmp_path, name):
    row = {"question": "1 + 1?", "response": "2"}
    problems = load(write_rows(tmp_path / name, [row]), prompt_key="question").problems
    assert problems.samples([0])[0].prompt == "1 + 1?"


@pytest.mark.parametrize(
    ("reward_fn_key", "row"),
    [
        ("reward_model", {"data_source": "sums", "reward_model": {"ground_truth": "2"}}),
        ("data_source", {"data_source": "sums", "reward_model": {"ground_truth": "2"}}),
        ("task", {"task": "sums", "data_source": "x", "reward_model": {"ground_truth": "2"}}),
        ("truth", {"data_source": "sums", "truth": "2"}),
        ("truth", {"data_source": "sums", "truth": {"ground_truth": "2"}}),
        ("truth", {"data_source": "sums", "original_truth": {"ground_truth": "2"}}),
        ("reward_model", {"data_source": "sums", "ground_truth": "2"}),
        ("data_source", {"data_source": "sums", "ground_truth": "2"}),
        ("data_source", {"original_data_source": "sums", "original_ground_truth": "2"}),
    ],
)
def test_reward_fn_key_names_the_ground_truth_or_as_in_verl_the_source(
    tmp_path, name, reward_fn_key, row
):
    path = write_rows(tmp_path / name, [{"prompt": "1 + 1?", "response": "2", **row}])
    sample = load(path, reward_fn_key=reward_fn_key).problems.samples([0])[0]
    assert (sample.data_source, sample.ground_truth) == ("sums", "2")


def test_a_ground_truth_keeps_its_type(tmp_path):
    truths = ["2", 2, 2.5, ["2", "two"], {"low": 1, "high": 3}, True, None]
    rows = [{"prompt": f"{i}", "reward": [1.0], "ground_truth": t} for i, t in enumerate(truths)]
    problems = load(write_rows(tmp_path / "a.jsonl", rows)).problems
    found = [problems.samples([i])[i].ground_truth for i in range(len(truths))]
    assert list(map(repr, found)) == list(
        map(repr, [*truths[:4], {"high": 3, "low": 1}, *truths[5:]])
    )
