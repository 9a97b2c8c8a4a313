"""Rows that say more than one thing: what is taken of them must not depend on a single row."""

import json
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.formats.rows import Rows
from curriculum.testing import write_rows
from tests.formats.asking import groups, read, texts

NAMES = ["a.jsonl", "a.parquet"]


@pytest.mark.parametrize("name", NAMES)
def test_a_null_is_no_other_column_s_text(tmp_path, name):
    rows = [
        {"prompt": "q", "response": None, "output": "gold", "reward": None, "score": 8.0},
        {"prompt": "q", "response": "5", "output": "gold", "reward": 1.0, "score": 8.0},
    ]
    source = read(write_rows(tmp_path / name, rows))
    assert texts(source) == [None, "5"]
    assert source.load().rollouts["reward"].to_pylist() == [None, 1.0]


@pytest.mark.parametrize("more", [{"difficulty": "5/10"}, {"c": 3}, {"score": 0.9}, {"acc": 1}])
def test_counts_that_are_named_are_those_that_count(tmp_path, more):
    path = write_rows(tmp_path / "a.jsonl", [{"prompt": "q", "solve": 0.25, **more}])
    assert groups(read(path, columns={"pass_rate": "solve", "n": 4})) == [(1, 4)]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_no_part_of_the_prompt(tmp_path, name):
    rows = [
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": f"it is {answer}"},
            ],
            "response": answer,
            "correct": answer == "4",
        }
        for answer in ("4", "5")
    ]
    source = read(write_rows(tmp_path / name, rows))
    assert groups(source) == [(1, 2)] and texts(source) == ["4", "5"]


def test_messages_under_a_plural_are_answers_of_their_own(tmp_path):
    said = [{"role": "assistant", "content": each} for each in ("one", "two")]
    for key in ("responses", "completions", "generations"):
        source = read(write_rows(tmp_path / f"{key}.jsonl", [{"prompt": "q", key: said}]))
        assert texts(source) == ["one", "two"]
    source = read(write_rows(tmp_path / "one.jsonl", [{"prompt": "q", "completion": said}]))
    assert texts(source) == ["two"], "one trajectory"


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_off_answer_without_a_word_is_an_empty_one(tmp_path, name):
    rows = [
        {"prompt": "q", "response": text, "reward": 0.0, "finish_reason": reason}
        for text, reason in ((None, "max_tokens"), (None, "stop"), ("a", "stop"))
    ]
    assert texts(read(write_rows(tmp_path / name, rows))) == ["", None, "a"]


def test_a_failed_call_may_count_as_an_empty_answer(tmp_path):
    rows = [{"prompt": "q", "response": None, "reward": 0.0, "error": "timeout"}]
    path = write_rows(tmp_path / "a.jsonl", [*rows, {**rows[0], "response": "a", "error": None}])
    assert groups(read(path)) == [(0, 1)]
    source = read(path, failed_calls="wrong")
    assert groups(source) == [(0, 2)] and texts(source) == ["", "a"]
    nothing = write_rows(tmp_path / "b.jsonl", [rows[0] | {"response": "a", "error": float("nan")}])
    assert read(nothing).load().rows == Rows(read=1, used=1, rejected=0)
    empty = {"prompt": "q", "response": "a", "reward": 0.0, "errors": []}
    source = read(write_rows(tmp_path / "c.jsonl", [empty]))
    assert source.load().rows == Rows(read=1, used=1, rejected=0)


@pytest.mark.parametrize("first", [{"data_idx": 3}, {}])
def test_a_row_that_leaves_out_data_idx_is_of_the_problem_that_is_there(tmp_path, first):
    own = {"problem_id": "x", "prompt": "q", "response": "a"}
    second = {} if first else {"data_idx": 3}
    one = write_rows(tmp_path / "a.jsonl", [own | {"reward": 1.0} | first])
    two = write_rows(tmp_path / "b.jsonl", [own | {"reward": 0.0} | second])
    assert groups(read(one, two)) == [(1, 2)]
    three = write_rows(tmp_path / "c.jsonl", [own | {"reward": 0.0, "data_idx": 4}])
    four = write_rows(tmp_path / "d.jsonl", [own | {"reward": 0.0, "data_idx": 3}])
    none = write_rows(tmp_path / "e.jsonl", [own | {"reward": 0.0}])
    assert groups(read(four, three)) == [(0, 1), (0, 1)]
    with pytest.raises(UserError, match=r"2 problems have problem_id=x, .* another row of it has"):
        read(four, three, none).load()


def test_columns_that_are_named_stand_before_original_ones(tmp_path):
    row: dict[str, Any] = {"original_prompt": "old"}
    row |= {"original_reward_model": {"ground_truth": "1"}}
    row |= {"q": "new", "truth": "2", "response": "a", "reward": 1.0}
    path = write_rows(tmp_path / "a.jsonl", [row])
    source = read(path, columns={"prompt": "q", "ground_truth": "truth"})
    assert source.load().problems.samples([0])[0][1:4] == ("new", "", "2")


def test_a_column_that_is_called_like_a_marked_one_is_itself(tmp_path):
    rows = [{"unoriginal_id": each, "prompt": "q", "response": "a", "reward": 1.0} for each in "ab"]
    for name in NAMES:
        source = read(write_rows(tmp_path / name, rows), id_key="unoriginal_id")
        assert source.load().problems.ids.to_pylist() == ["a", "b"]


def test_of_a_saved_dataset_its_own_files_are_read(tmp_path):
    table = pa.table({"prompt": ["q"], "response": ["a"], "reward": [1.0]})
    for name in ("data-00000-of-00001.arrow", "cache-1.arrow"):
        with pa.ipc.new_stream(str(tmp_path / name), table.schema) as stream:
            stream.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (tmp_path / "state.json").write_text(json.dumps(state))
    (tmp_path / "dataset_info.json").write_text("{}")
    assert groups(read(tmp_path)) == [(1, 1)]


def test_what_would_be_left_out_or_read_twice_is_refused(tmp_path):
    row = {"prompt": "q", "response": "a", "reward": 1.0}
    path = write_rows(tmp_path / "a.jsonl", [row])
    with pytest.raises(UserError, match=r"a\.jsonl is named twice"):
        read(path, tmp_path / "*.jsonl").load()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "a.jsonl")
    assert groups(read(tmp_path / "a.zip")) == [(1, 1)]
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("b.csv", "prompt,response")
    with pytest.raises(UserError, match=r"its b\.csv is neither JSON nor JSONL: unpack it"):
        read(tmp_path / "a.zip").load()


def test_a_table_without_prompts_says_so(tmp_path):
    rows = [{"query": "q", "response": "a", "reward": 1.0}]
    for name in NAMES:
        with pytest.raises(UserError, match="no prompt under 'prompt'"):
            read(write_rows(tmp_path / name, rows)).load()
    table = pa.table(
        {"problem_id": pa.array([1.5], pa.float16()), "prompt": ["q"], "response": ["a"]}
    )
    pq.write_table(table, tmp_path / "half.parquet")
    with pytest.raises(UserError, match="columns problem_id"):
        read(tmp_path / "half.parquet").load()


def test_two_filters_of_lm_eval_are_not_two_rollouts(tmp_path):
    row = {
        "doc_id": 0,
        "doc": {},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": "2 + 2?"}},
        "resps": [["4"]],
        "metrics": ["exact_match"],
    }
    strict, flexible = ({**row, "filter": name} for name in ("strict", "flexible"))
    same = [strict | {"exact_match": 1.0}, flexible | {"exact_match": 1.0}]
    assert groups(read(write_rows(tmp_path / "samples_a.jsonl", same))) == [(1, 1)]
    other = [same[0], flexible | {"exact_match": 0.0}]
    with pytest.raises(UserError, match="are both sample 0 of a problem, and differ"):
        read(write_rows(tmp_path / "samples_a.jsonl", other)).load()


def test_problems_are_no_counts(tmp_path):
    rows = [{"prompt": each, "difficulty": level} for each, level in (("a", "3/8"), ("b", None))]
    path = write_rows(tmp_path / "a.jsonl", rows)
    assert data.Verl(str(path)).load().rows == Rows(2, 2, 0)


def test_cells_of_csv_keep_their_meaning(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"prompt,response,correct\nq,,False\nq,{'x' * 200_000},True\n")
    source = read(path)
    assert groups(source) == [(1, 2)] and texts(source)[0] == ""
    path.write_text("prompt,response,response,reward\nq,a,b,1\n")
    with pytest.raises(UserError, match=r"a\.csv: two columns have one name"):
        read(path).load()
