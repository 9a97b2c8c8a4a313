"""Rollouts as tools write them: files of the real packages where these can be installed."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.formats import containers
from curriculum.formats.forms import BUILT_IN, form_of
from curriculum.formats.rows import Rows
from curriculum.testing import check_format, write_rows
from tests.formats.asking import groups, read, texts

FILES = Path(__file__).parent / "files"
CHAT = [{"role": "user", "content": "1 + 1?"}]
BATCH_ERROR = {"code": "server_error", "message": "overloaded"}

ROWS: dict[str, list[dict[str, Any]]] = {
    "NemoGym": [
        {
            "responses_create_params": {"input": CHAT},
            "response": {
                "output": [
                    {"type": "function_call", "name": "add", "arguments": "{}"},
                    {"type": "message", "content": [{"type": "output_text", "text": "2"}]},
                ]
            },
            "expected_answer": "2",
            "reward": 1.0,
        },
        {
            "responses_create_params": {"input": CHAT},
            "response": {"output": [], "error": {"message": "refused"}},
            "expected_answer": "2",
            "reward": 0.0,
        },
    ],
    "Slime": [
        {"prompt": "1 + 1?", "response": "2", "label": "2", "reward": 1, "status": "completed"},
        {"prompt": "1 + 1?", "response": "...", "label": "2", "reward": 0, "status": "truncated"},
        {"prompt": "1 + 1?", "response": "", "label": "2", "reward": 0, "status": "aborted"},
    ],
    "TrlCompletions": [
        {
            "step": 3,
            "prompt": CHAT,
            "completion": [{"role": "assistant", "content": "2"}],
            "accuracy": 1.0,
            "advantage": 0.7,
        }
    ],
    "BatchRequest": [
        {
            "custom_id": "a",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"messages": CHAT},
        }
    ],
    "BatchOutput": [
        {
            "id": "1",
            "custom_id": "a",
            "response": {
                "status_code": 200,
                "body": {
                    "choices": [
                        {"message": {"content": "2"}, "finish_reason": "stop"},
                        {"message": {"content": None}, "finish_reason": "length"},
                    ]
                },
            },
            "error": None,
        },
        {"id": "2", "custom_id": "a", "response": None, "error": BATCH_ERROR},
    ],
    "Counts": [
        {"prompt": "a", "difficulty": "7/8"},
        {"prompt": "b", "c": 3, "n": 4},
        {"prompt": "c", "pass_rate": 0.33, "n": 64},
    ],
    "IfEval": [
        {
            "key": 1,
            "prompt": "No commas.",
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{}],
            "response": "None",
        }
    ],
    "Instructions": [{"instruction": "Add.", "input": "1 + 1", "output": "2"}],
}


def rows_of(name):
    """Of a form: those above, or of a file of the tool's own."""
    if name in ROWS:
        return ROWS[name]
    pattern = {"LmEval": "samples_*", "InspectLog": "*.eval", "VerlDump": "7.jsonl"}[name]
    (file,) = FILES.glob(pattern)
    return [line.row for line in containers.read(str(file))]


def first(source):
    return source.load().problems.samples([0])[0]


@pytest.mark.parametrize("form", BUILT_IN, ids=lambda form: form.__name__)
def test_a_form_keeps_to_its_contract(form):
    rows = rows_of(form.__name__)
    check_format(form, rows)
    assert [type(form_of(row)) for row in rows] == [form] * len(rows)


def test_samples_of_lm_eval(tmp_path):
    (file,) = FILES.glob("samples_*")
    source = read(file)
    assert first(source)[:2] == ("sums", "1 + 1?")
    assert first(source).ground_truth == "2"
    assert texts(source) == ["lol"] * 4, "two repeats of each document"
    assert source.load().rollouts["reward"].null_count == 4, "one number is not that of both"
    alone = json.loads(file.read_text().splitlines()[0]) | {"resps": [["2"]], "exact_match": 1.0}
    assert groups(read(write_rows(tmp_path / "samples_x.jsonl", [alone]))) == [(1, 1)]
    choice = alone | {"resps": [[[-1.5, False]], [[-0.5, True]]]}
    with pytest.raises(UserError, match=r"samples_x\.jsonl:1: log-likelihoods of 2 choices"):
        read(write_rows(tmp_path / "samples_x.jsonl", [choice])).load()


def test_logs_of_inspect():
    (file,) = FILES.glob("*.eval")
    with pytest.raises(UserError, match=r"several numbers \(match, includes\)"):
        read(file).load()
    source = read(file, reward_key="includes")
    assert groups(source) == [(1, 2), (0, 2)]
    assert texts(source) == ["2", "3", "It is 4", ""]
    assert first(source)[:2] == ("sums", "1 + 1?")
    loaded = source.load()
    assert loaded.rollouts["finish_reason"].to_pylist() == ["stop"] * 3 + ["length"]
    assert loaded.problems.samples([1])[1].ground_truth == ["4", "four"]
    assert "not used" not in loaded.took[0] and "Inspect's log: prompt from input" in loaded.took[0]


def test_outputs_of_a_batch_have_the_prompts_of_their_requests(tmp_path):
    requests = write_rows(tmp_path / "requests.jsonl", ROWS["BatchRequest"])
    outputs = write_rows(tmp_path / "outputs.jsonl", ROWS["BatchOutput"])
    for paths in ((requests, outputs), (outputs, requests)):
        source = read(*paths)
        loaded = source.load()
        assert loaded.rows == Rows(read=3, used=2, rejected=0, failed_calls=1, failed_rollouts=1)
        assert first(source).prompt == CHAT
        assert len(texts(source)) == len(loaded.rollouts) == 3
        assert loaded.problems.table["length"].to_pylist() == [None], "no line is all of it"
    assert texts(source)[:2] == ["2", ""], "an answer that was cut off is one"
    with pytest.raises(UserError, match=r"outputs\.jsonl:1: no prompt .* no other row has prob"):
        read(outputs).load()


def test_a_failed_call_is_no_wrong_answer(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", ROWS["NemoGym"])
    assert groups(read(path)) == [(1, 1)]
    assert groups(read(path, failed_calls="wrong")) == [(1, 2)]
    path = write_rows(tmp_path / "b.jsonl", ROWS["Slime"])
    assert groups(read(path)) == [(1, 2)]
    assert read(path).load().rollouts["finish_reason"].to_pylist() == ["stop", "length", None]
    rows = [
        {"prompt": "q", "responses": ["a", None], "rewards": [1, 0], "error": [None, "timeout"]}
    ]
    source = read(write_rows(tmp_path / "c.jsonl", rows))
    assert groups(source) == [(1, 1)]
    assert source.load().rows == Rows(read=1, used=1, rejected=0, failed_rollouts=1)


def test_a_completion_of_trl_is_rewarded_by_the_function_that_is_chosen(tmp_path):
    path = tmp_path / "completions_00003.parquet"
    rows = [row | {"format": 0.0} for row in ROWS["TrlCompletions"]]
    pq.write_table(pa.Table.from_pylist(ROWS["TrlCompletions"]), path)
    assert groups(read(path)) == [(1, 1)] and texts(read(path)) == ["2"]
    pq.write_table(pa.Table.from_pylist(rows), path)
    with pytest.raises(UserError, match=r"several numbers \(accuracy, format\)"):
        read(path).load()
    assert groups(read(path, reward_key="format")) == [(0, 1)]


def test_another_number_of_verl_s_dump_may_count():
    assert groups(read(FILES / "7.jsonl")) == [(1, 2), (0.5, 1)]
    assert groups(read(FILES / "7.jsonl", reward_key="acc")) == [(1, 2), (1, 1)]


def test_counts_are_as_good_as_the_rollouts(tmp_path):
    rows = [
        *ROWS["Counts"],
        {"prompt": "d", "pass_rate": 0.5, "n": 3},
        {"prompt": "e", "c": 5, "n": 4},
    ]
    source = read(write_rows(tmp_path / "a.jsonl", rows))
    assert groups(source) == [(7, 8), (3, 4), (21, 64)]
    assert [row.row for row in source.load().rejected] == [4, 5]
    models = [{"prompt": "a", "small": 0.25, "large": "7/8"}]
    path = write_rows(tmp_path / "models.jsonl", models)
    assert groups(read(path, columns={"pass_rate": "large"})) == [(7, 8)]
    assert groups(read(path, columns={"pass_rate": "small", "n": 8})) == [(2, 8)]


def test_what_was_taken_of_counts_names_the_columns_that_are_there(tmp_path):
    row = {"question": "q", "answer": "1", "llama": 0.5, "qwen": 0.25, "k": 8}
    path = write_rows(tmp_path / "a.jsonl", [row])
    (line,) = read(path, columns={"pass_rate": "llama", "n": "k"}).load().took
    told = "counts: prompt from question, ground truth from answer, pass rate from llama, n from k"
    assert line == f"{path}: {told}; not used: qwen"
    plain = write_rows(tmp_path / "b.jsonl", [{"prompt": "q", "c": 3, "num_samples": 4}])
    (line,) = read(plain).load().took
    assert line == f"{plain}: counts: prompt from prompt, passes from c, n from num_samples"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"pass_rate": 0.5}, "a rate without `n`, which data.columns can name"),
        ({"pass_rate": 50, "n": 8}, "400 passes of 8 rollouts (a pass_rate is a share"),
    ],
)
def test_counts_that_are_none_say_why(tmp_path, row, told):
    path = write_rows(tmp_path / "a.jsonl", [{"prompt": "q", **row}])
    with pytest.raises(UserError) as caught:
        read(path).load()
    assert told in str(caught.value)


def test_the_input_of_an_instruction_is_a_part_of_the_prompt(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", ROWS["Instructions"])
    assert first(read(path)).prompt == "Add.\n\n1 + 1"
    assert data.Verl(str(path)).load().problems.samples([0])[0].prompt == "Add.\n\n1 + 1"
    named = data.Verl(str(path), prompt_key="instruction").load()
    assert named.problems.samples([0])[0].prompt == "Add.", "as it was asked for"
    row = {"instruction": "Be brief.", "question": "1 + 1?", "output": "2"}
    path = write_rows(tmp_path / "b.jsonl", [row])
    for key in ("prompt", "question"):
        assert first(read(path, prompt_key=key)).prompt == "1 + 1?"


ROLLOUTS = [
    {"prompt": "a", "response": "x", "reward": 1.0, "sample_idx": 0},
    {"prompt": "a", "response": "y", "reward": 0.0, "sample_idx": 1},
    {"prompt": "b", "response": "z", "reward": 1.0, "sample_idx": 0},
]


def as_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def write_arrow(path):
    table = pa.Table.from_pylist(ROLLOUTS)
    with pa.ipc.new_stream(str(path), table.schema) as stream:
        stream.write_table(table)


CONTAINERS = {
    "a.json": lambda path: path.write_text(json.dumps(ROLLOUTS, indent=2)),
    "a.jsonl": lambda path: path.write_bytes(as_lines(ROLLOUTS)),
    "a.jsonl.gz": lambda path: path.write_bytes(gzip.compress(as_lines(ROLLOUTS))),
    "a.jsonl.zst": lambda path: path.write_bytes(pa.compress(as_lines(ROLLOUTS), "zstd", True)),
    "a.csv": lambda path: pd.DataFrame(ROLLOUTS).to_csv(path, index=False),
    "a.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROLLOUTS), path),
    "a.arrow": write_arrow,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_kind_of_file_says_the_same(tmp_path, name):
    CONTAINERS[name](tmp_path / name)
    source = read(tmp_path / name)
    assert groups(source) == [(1, 2), (1, 1)]
    assert texts(source) == ["x", "y", "z"]
    assert source.load().problems.table["prompt"].to_pylist() == ['"a"', '"b"']
    assert [row["response"] for table in source.rows() for row in table.to_pylist()] == [
        "x",
        "y",
        "z",
    ]


def test_columns_are_named_where_they_are_called_otherwise(tmp_path):
    rows = [
        {"q": "a", "text": "x", "metrics": {"acc": 1.0}, "doc": {"target": "1"}, "reward": 0.0},
        {"q": "a", "text": "y", "metrics": {"acc": 0.0}, "doc": {"target": "1"}, "reward": 0.0},
    ]
    names = {
        "prompt": "q",
        "response": "text",
        "reward": "metrics.acc",
        "ground_truth": "doc.target",
    }
    for name in ("a.jsonl", "a.parquet"):
        source = read(write_rows(tmp_path / name, rows), columns=names)
        assert groups(source) == [(1, 2)] and texts(source) == ["x", "y"]
        assert first(source).ground_truth == "1"
        assert source.load().took[0].endswith("ground truth from doc.target; not used: reward")
        wrong = read(tmp_path / name, columns=names | {"reward": "metrics.accuracy"})
        with pytest.raises(
            UserError, match=r"no row has metrics\.accuracy, which data\.columns\.reward"
        ):
            wrong.load()
    with pytest.raises(UserError, match=r"data\.columns: no answer; there are problem_id, "):
        read(tmp_path / "a.jsonl", columns={"answer": "q"})


CHOSEN = {
    "a column": ({"response": "text", "reward": "mark"}, None),
    "a column of each, one of them by the key": ({"response": "text"}, "mark"),
    "a column that is an object with the key": ({"response": "text"}, "acc"),
    "the key inside of the reward": ({"response": "text", "reward": "acc"}, "acc"),
    "inside of a column": ({"response": "text", "reward": "acc.acc"}, None),
    "lists": ({"response": "texts", "reward": "marks"}, None),
}


@pytest.mark.parametrize(("names", "key"), CHOSEN.values(), ids=CHOSEN)
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_the_number_that_is_chosen_counts_in_every_kind_of_file(tmp_path, name, names, key):
    def row(question, *marks):
        plain = {"question": question, "response": "not this", "reward": 9.0, "score": 8.0}
        if "texts" in names.values():
            return [{**plain, "texts": [f"{each}" for each in marks], "marks": list(marks)}]
        return [
            {**plain, "text": f"{each}", "mark": each, "acc": {"score": 0.5, "acc": each}}
            for each in marks
        ]

    rows = [*row("a", 1.0, 0.0), *row("b", 1.0)]
    source = read(write_rows(tmp_path / name, rows), columns=names, reward_key=key)
    assert groups(source) == [(1, 2), (1, 1)] and texts(source) == ["1.0", "0.0", "1.0"]


def test_what_was_taken_is_said_once_for_files_that_are_alike(tmp_path):
    row = {"input": "q", "output": "a", "score": 1.0, "gt": "1", "uid": "u", "prompt": "p"}
    for name in "abc":
        write_rows(tmp_path / f"{name}.jsonl", [row])
    (line,) = read(tmp_path).load().took
    assert line == (
        f"{tmp_path}/a.jsonl and 2 more: prompt from prompt, ground truth from gt, response from "
        "output, reward from score; not used: input, uid"
    )


def test_instructions_in_two_columns_are_the_ground_truth(tmp_path, test_data):
    row = {"prompt": "No commas.", "instruction_id_list": ["a:b"], "kwargs": [{"n": 1}]}
    truth = {"instruction_id_list": ["a:b"], "kwargs": [{"n": 1}]}
    for name in ("a.jsonl", "a.parquet"):
        source = read(write_rows(tmp_path / name, [{**row, "response": "None", "reward": 1.0}]))
        assert first(source).ground_truth == truth and groups(source) == [(1, 1)]
    assert first(read(tmp_path / "a.jsonl", columns={"ground_truth": "prompt"})).ground_truth
    own = data.Verl(str(test_data / "ifeval" / "en_input_data.jsonl")).load()
    assert len(own.problems) == 541
    assert "instruction_id_list" in own.problems.samples([540])[540].ground_truth
