"""Input as it comes: what can't be used is counted with its place, and costs nothing else."""

import json
import math

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.core.records import Rollouts
from curriculum.run.reading import load as load_stored
from curriculum.run.scoring.scoring import read_recorded
from curriculum.store.entries import Store
from curriculum.testing import write_rows
from tests.formats.asking import texts

GOOD = b'{"prompt": "good", "response": "x", "reward": 1.0}'
TRUNCATED = b'{"prompt": "c", "response": "x", "rew'


def reader(path, cls=data.Rollouts):
    path = path if isinstance(path, list) else str(path)
    return cls(path, "problem_id", "prompt", "reward_model")


def write_lines(path, *lines, end=b"\n"):
    path.write_bytes(b"".join(line + end for line in lines))
    return path


def rows(source):
    return [row for table in source.rows() for row in table.to_pylist()]


def recorded(source):
    return read_recorded(Rollouts(source.load().rollouts, source.responses, source.rows), 100)


def test_a_line_cut_short_is_rejected_with_its_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n\n" + GOOD + b"\n" + TRUNCATED)
    source = reader(path)
    _, index, rejected, *_ = source.load()
    assert [(each.file, each.row, each.text) for each in rejected] == [
        (str(path), 4, TRUNCATED.decode())
    ]
    assert "not JSON" in rejected[0].cause
    assert len(index) == len(texts(source)) == len(rows(source)) == 2


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"[1, 2]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"nonsense", "not JSON"),
        (b'{"prompt": "caf\xe9", "response": "x"}', "not JSON"),
        (b'{"response": "x", "reward": 1}', "no prompt under 'prompt'"),
        (b'{"prompt": null, "response": "x"}', "no prompt under 'prompt'"),
        (b'{"prompt": "a", "answer": "1"}', "neither a response nor a reward"),
        (b'{"prompt": "a", "response": ["x"], "reward": [1, 0]}', "1 responses but 2 rewards"),
        (b'{"prompt": "a", "response": "x", "reward": "good"}', "no number: 'good'"),
        (b'{"prompt": "a", "response": "x", "reward": {"score": ""}}', "no number: ''"),
        (b'{"prompt": "a", "response": ["x", "y"], "reward": [1, "true"]}', "no number: 'true'"),
        (b'{"prompt": "a", "response": "x", "reward": 1%s}' % (b"0" * 400), "no number"),
        (b"[" * 100_000, ""),
        (b'{"prompt": "a", "response": "x", "data_idx": "first"}', "data_idx"),
        (b'{"prompt": "a", "response": "x", "data_idx": [1]}', "data_idx"),
        (b'{"prompt": "a", "response": "x", "sample_idx": "first"}', "sample_idx"),
        (b'{"prompt": "half of \\ud83d", "response": "x"}', ""),
    ],
    ids=lambda value: ascii(value[:60]),
)
def test_a_line_that_can_t_be_used_costs_only_itself(tmp_path, line, cause):
    source = reader(write_lines(tmp_path / "a.jsonl", GOOD, b"", line, b"   ", GOOD))
    _, index, rejected, *_ = source.load()
    assert [(each.row, each.text) for each in rejected] == [(3, line.decode("utf-8", "replace"))]
    assert cause in rejected[0].cause
    assert index["reward"].to_pylist() == [1.0, 1.0]
    assert texts(source) == [row["response"] for row in rows(source)] == ["x", "x"]


def test_half_a_surrogate_pair_in_a_response_costs_its_neighbours_nothing(tmp_path):
    half = b'{"prompt": "a", "response": "half of \\ud83d", "reward": 0.0}'
    source = reader(write_lines(tmp_path / "a.jsonl", GOOD, half, GOOD))
    found = texts(source)
    assert found[0] == found[-1] == "x"
    assert len(found) == len(rows(source)) == len(source.load().rollouts)


def test_a_response_of_null_keeps_its_place(tmp_path):
    lines = [
        {"prompt": "a", "response": "x", "sample_idx": 0},
        {"prompt": "a", "response": None, "sample_idx": 1},
        {"prompt": "a", "response": "z", "sample_idx": 2},
    ]
    jsonl = write_lines(tmp_path / "a.jsonl", *(json.dumps(each).encode() for each in lines))
    pq.write_table(pa.Table.from_pylist(lines), tmp_path / "a.parquet")
    for path in (tmp_path / "a.parquet", jsonl):
        source = reader(path)
        assert source.load().rollouts["sample_idx"].to_pylist() == [0, 1, 2]
        assert texts(source) == ["x", None, "z"]
        assert [row["response"] for row in rows(source)] == ["x", None, "z"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_mark_line_ends_and_line_separators(tmp_path, end):
    odd = '{"prompt": "one\u2028line\x85", "response": "x\u2028y", "reward": 0}'.encode()
    path = write_lines(tmp_path / "a.jsonl", GOOD, b"", odd, GOOD, end=end)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removesuffix(end))
    source = reader(path)
    problems, index, rejected, *_ = source.load()
    assert not rejected
    assert index["reward"].to_pylist() == [1.0, 0.0, 1.0]
    assert texts(source) == ["x", "x\u2028y", "x"]
    assert [problems.samples([i])[i].prompt for i in range(2)] == ["good", "one\u2028line\x85"]


@pytest.mark.parametrize("score", ["NaN", '"nan"', '"-inf"', "null", "{}", "Infinity"])
def test_a_score_that_is_no_finite_number_is_a_failure_and_never_a_zero(tmp_path, score):
    odd = f'{{"prompt": "good", "response": "x", "reward": {score}}}'.encode()
    table = recorded(reader(write_lines(tmp_path / "a.jsonl", GOOD, odd, GOOD)))
    assert table["reward"].to_pylist() == [1.0, None, 1.0]
    assert table["failure"].is_valid().to_pylist() == [False, True, False]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_rewards_that_are_all_nan_are_recorded_and_an_error(tmp_path, name):
    if name == "a.jsonl":
        write_lines(tmp_path / name, GOOD.replace(b"1.0", b"NaN"))
    else:
        columns = {"prompt": ["a"], "response": ["x"], "reward": [math.nan]}
        pq.write_table(pa.table(columns), tmp_path / name)
    source = reader(tmp_path / name)
    assert Rollouts(source.load().rollouts, source.responses, source.rows).recorded
    with pytest.raises(UserError, match="rollout 0: the recorded reward is nan"):
        recorded(source)


def test_scores_of_a_wide_line_fail_one_by_one(tmp_path):
    line = b'{"prompt": "a", "reward": [{"score": 1}, {"score": NaN}, {"score": "0"}, {}, true]}'
    table = recorded(reader(write_lines(tmp_path / "a.jsonl", line)))
    assert table["reward"].to_pylist() == [1.0, None, 0.0, None, 1.0]
    assert table["failure"].null_count == 3


def test_nan_and_null_rewards_of_a_parquet_are_failures(tmp_path):
    rewards = [1.0, math.nan, None, 0.0]
    columns = {"prompt": ["a"] * 4, "response": list("wxyz"), "reward": rewards}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = recorded(reader(tmp_path))
    assert table["reward"].to_pylist() == [1.0, None, None, 0.0]
    assert table["failure"].is_valid().to_pylist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        ([1, 0], [1.0, 0.0]),
        ([True, False], [1.0, 0.0]),
        ([{"score": 1.0}, {"score": 0.5}], [1.0, 0.5]),
    ],
    ids=["integers", "booleans", "structs"],
)
def test_rewards_of_a_parquet_may_be_of_other_types(tmp_path, reward, expected):
    columns = {"prompt": ["a", "a"], "response": ["x", "y"], "reward": reward}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert reader(tmp_path).load().rollouts["reward"].to_pylist() == expected


def test_a_text_column_as_reward_names_the_file(tmp_path):
    columns = {"prompt": ["a"], "response": ["x"], "reward": ["good"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet"):
        reader(tmp_path).load()


@pytest.mark.parametrize("cls", [data.Rollouts, data.Verl])
def test_a_parquet_row_without_prompt_is_named(tmp_path, cls):
    columns = {"prompt": ["a", None], "response": ["x", "y"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (row,) = reader(tmp_path, cls).load().rejected
    assert (row.file.endswith("a.parquet"), row.row) == (True, 2)
    assert "no prompt under 'prompt'" in row.cause


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_responses_and_rewards_of_different_lengths_are_rejected_with_their_row(tmp_path, name):
    rewards = [[1.0, 0.0], [1.0], None, [0.0]]
    rows = [
        {"prompt": f"q{i}", "responses": ["x", "y"][: 1 if i == 3 else 2], "rewards": each}
        for i, each in enumerate(rewards)
    ]
    source = reader(write_rows(tmp_path / name, rows))
    problems, index, rejected, counts, *_ = source.load()
    (row,) = rejected
    assert (row.row, row.cause) == (2, "2 responses but 1 rewards")
    assert len(problems) == 3 and counts.used == 3
    used = index.filter(pc.greater_equal(index["problem"], 0))
    assert used["reward"].to_pylist() == [1.0, 0.0, None, None, 0.0]
    placed = zip(index["problem"].to_pylist(), texts(source), strict=True)
    assert [text for place, text in placed if place >= 0] == ["x", "y", "x", "y", "x"]


def test_a_problem_without_rollouts_stays_a_problem(tmp_path):
    lines = [b'{"prompt": "a", "response": [], "reward": []}', GOOD]
    source = reader(write_lines(tmp_path / "a.jsonl", *lines))
    problems, index, *_ = source.load()
    assert len(problems) == 2
    assert index["problem"].to_pylist() == [1]
    columns = {"prompt": ["a", "b", "c"], "responses": [[], ["x", "y"], None]}
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    source = reader(tmp_path / "b.parquet")
    problems, index, *_ = source.load()
    assert len(problems) == 3
    assert index["problem"].to_pylist() == [1, 1]
    assert texts(source) == [row["response"] for row in rows(source)] == ["x", "y"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_files_without_a_rollout_say_so(tmp_path, name):
    if name == "a.jsonl":
        (tmp_path / name).touch()
    else:
        strings = pa.array([], pa.string())
        pq.write_table(pa.table({"prompt": strings, "response": strings}), tmp_path / name)
    with pytest.raises(UserError, match="holds no rollouts"):
        reader(tmp_path / name).load()


def test_files_of_nothing_but_rejected_rows_show_the_first(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", b"", TRUNCATED, b"[]")
    with pytest.raises(UserError, match=f"{path}:2: not JSON"):
        reader(path).load()


def test_an_empty_file_beside_others_changes_nothing(tmp_path):
    (tmp_path / "a.jsonl").touch()
    write_lines(tmp_path / "b.jsonl", GOOD)
    source = reader(tmp_path)
    assert len(source.load().rollouts) == len(texts(source)) == len(rows(source)) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"this is no parquet", b"PAR1" + b"\0" * 60 + b"PAR1"],
    ids=["empty", "text", "zeros"],
)
def test_a_parquet_that_is_none_is_named(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    for cls in (data.Rollouts, data.Verl):
        with pytest.raises(UserError, match=r"a\.parquet can't be read as parquet"):
            reader(tmp_path, cls).load()


def test_a_damaged_parquet_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": ["a"], "response": ["x"]}), path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\0" * 30 + content[34:])
    with pytest.raises(UserError, match=r"a\.parquet"):
        reader(path).load()


def two_files_with_bad_lines(folder):
    write_lines(folder / "a.jsonl", GOOD, b"nonsense", GOOD)
    write_lines(folder / "b.jsonl", b"", b'{"response": "x"}', GOOD)
    return reader(folder)


def test_rejected_rows_up_to_max_rejected_are_stored_with_their_place(tmp_path):
    source = two_files_with_bad_lines(tmp_path)
    stored = load_stored(Store(tmp_path / "store"), "problems", source, max_rejected=2)
    assert stored.rejected is not None
    found = [json.loads(line) for line in stored.rejected.read_text().splitlines()]
    assert [(row["file"], row["row"], row["text"]) for row in found] == [
        (f"{tmp_path}/a.jsonl", 2, "nonsense"),
        (f"{tmp_path}/b.jsonl", 2, '{"response": "x"}'),
    ]
    assert all(row["cause"] for row in found)
    assert stored.entry.counts == {
        "problems": 1,
        "rollouts": 3,
        "rows": 5,
        "used_rows": 3,
        "rejected_rows": 2,
        "repeated_rows": 0,
        "rows_of_other_steps": 0,
        "rows_of_failed_calls": 0,
        "failed_calls": 0,
    }


def test_more_than_max_rejected_is_an_error_also_when_they_were_read_before(tmp_path):
    source, store = two_files_with_bad_lines(tmp_path), Store(tmp_path / "store")
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            load_stored(store, "problems", source, max_rejected=1)
        message = str(caught.value)
        assert "2 rows" in message and "data.max_rejected=1" in message
        assert f"{tmp_path}/a.jsonl:2: not JSON" in message
        assert f"{tmp_path}/b.jsonl:2: no prompt" in message
    assert load_stored(store, "problems", source, max_rejected=2).entry.reused


def test_clean_files_leave_no_list_of_rejected_rows(tmp_path):
    write_lines(tmp_path / "a.jsonl", GOOD)
    stored = load_stored(Store(tmp_path / "store"), "problems", reader(tmp_path), 0)
    assert stored.rejected is None
    assert stored.entry.counts["rejected_rows"] == 0
