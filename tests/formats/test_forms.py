"""Every form of rollout files: index, responses and rows line up, and no column is lost."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from tests.formats.asking import texts

# (question, ground truth, sample_idx, response, reward): unequal numbers of samples a problem.
SAMPLES = [
    ("1 + 1?", "2", 0, "It is 2.", 1.0),
    ("1 + 1?", "2", 1, "It is 3.", 0.0),
    ("1 + 1?", "2", 2, "2\n", 0.5),
    ("Wie heißt 2 + 2? 🤔", "4", 0, "vier", 0.25),
]
STRINGS = pa.list_(pa.string())
SHUFFLED = [SAMPLES[i] for i in (2, 3, 0, 1)]


def reader(path, **keys):
    keys = {"id_key": "problem_id", "prompt_key": "prompt", "reward_fn_key": "reward_model"} | keys
    return data.Rollouts(path=path if isinstance(path, list) else str(path), **keys)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def chat(question):
    return [{"role": "user", "content": question}]


def long_rows(samples, *without, prompt=str, **extra):
    """Rows as rollout generators write them: `prompt, response, data_idx, sample_idx, ...`."""
    questions = list(dict.fromkeys(question for question, *_ in SAMPLES))
    rows = [
        {
            "prompt": prompt(question),
            "response": response,
            "data_idx": 10 + questions.index(question),
            "sample_idx": sample_idx,
            "original_answer": truth,
            "original_tags": {"topic": "sums", "level": len(question)},
            "reward": reward,
            **extra,
        }
        for question, truth, sample_idx, response, reward in samples
    ]
    return [{name: value for name, value in row.items() if name not in without} for row in rows]


def long_parquet(folder, samples, *without, **options):
    path = folder / "long.parquet"
    pq.write_table(pa.Table.from_pylist(long_rows(samples, *without, **options)), path)
    return path


def large_parquet(folder, samples):
    table = pa.Table.from_pylist(long_rows(samples))
    large = [
        pa.field(each.name, pa.large_string()) if pa.types.is_string(each.type) else each
        for each in table.schema
    ]
    pq.write_table(table.cast(pa.schema(large)), folder / "large.parquet", row_group_size=2)
    return folder / "large.parquet"


def categorical_parquet(folder, samples):
    table = pa.Table.from_pylist(long_rows(samples, "data_idx"))
    prompts = table["prompt"].dictionary_encode()
    pq.write_table(table.set_column(0, "prompt", prompts), folder / "categorical.parquet")
    return folder / "categorical.parquet"


def long_jsonl(folder, samples, *without, **options):
    return write_lines(folder / "long.jsonl", long_rows(samples, *without, **options))


def verl_dump(folder, samples):
    rows = [
        {"input": question, "output": response, "gts": truth, "score": reward, "step": 3}
        for question, truth, _, response, reward in samples
    ]
    return write_lines(folder / "3.jsonl", rows)


def grouped(samples):
    """{(question, truth): (responses, rewards)} of samples in their order."""
    problems: dict[tuple, tuple[list, list]] = {}
    for question, truth, _, response, reward in samples:
        responses, rewards = problems.setdefault((question, truth), ([], []))
        responses.append(response)
        rewards.append(reward)
    return problems


def completions(responses):
    return {"choices": [{"message": {"role": "assistant", "content": each}} for each in responses]}


def wide_jsonl(folder, samples, prompt_key="prompt", respond=completions):
    rows = [
        {
            prompt_key: chat(question),
            "response": respond(responses),
            "reward": [{"score": each, "reason": "..."} for each in rewards],
            "ground_truth": truth,
            "extra_info": {"level": len(question)},
        }
        for (question, truth), (responses, rewards) in grouped(samples).items()
    ]
    return write_lines(folder / "wide.jsonl", rows)


def responses_parquet(folder, samples, kind=STRINGS, **extra):
    problems = grouped(samples)
    columns = {
        "prompt": [chat(question) for question, _ in problems],
        "reward_model": [{"style": "rule", "ground_truth": truth} for _, truth in problems],
        "extra_info": [{"level": len(question)} for question, _ in problems],
        "responses": pa.array([texts for texts, _ in problems.values()], kind),
        "rewards": [rewards for _, rewards in problems.values()],
    }
    pq.write_table(pa.table(columns | extra), folder / "responses.parquet")
    return folder / "responses.parquet"


LONG = {
    "parquet": long_parquet,
    "parquet, chat": lambda folder, samples: long_parquet(folder, samples, prompt=chat),
    "parquet, large strings": large_parquet,
    "parquet, categories": categorical_parquet,
    "parquet, no data_idx": lambda folder, samples: long_parquet(folder, samples, "data_idx"),
    "jsonl": long_jsonl,
    "jsonl, chat": lambda folder, samples: long_jsonl(folder, samples, prompt=chat),
    "jsonl, no data_idx": lambda folder, samples: long_jsonl(folder, samples, "data_idx"),
}
WIDE = {
    "wide, completion": wide_jsonl,
    "wide, messages": lambda folder, samples: wide_jsonl(folder, samples, prompt_key="messages"),
    "wide, strings": lambda folder, samples: wide_jsonl(folder, samples, respond=list),
    "responses column": responses_parquet,
    "responses column, large strings": lambda folder, samples: responses_parquet(
        folder, samples, kind=pa.list_(pa.large_string())
    ),
    "responses column, large lists": lambda folder, samples: responses_parquet(
        folder, samples, kind=pa.large_list(pa.string())
    ),
}
DUMPS = {"verl dump": verl_dump}
FORMS = LONG | WIDE | DUMPS
ORDERED = [(form, SAMPLES) for form in FORMS] + [(form, SHUFFLED) for form in LONG]


def rows(source):
    return [row for table in source.rows() for row in table.to_pylist()]


def rollouts(source):
    """What `SAMPLES` say, as read: index, problems and responses put together."""
    problems, index, *_ = source.load()
    return [
        (
            one_question(problems.samples([row["problem"]])[row["problem"]].prompt),
            problems.samples([row["problem"]])[row["problem"]].ground_truth,
            row["sample_idx"],
            text,
            row["reward"],
        )
        for row, text in zip(index.to_pylist(), texts(source), strict=True)
    ]


def one_question(prompt):
    return prompt if isinstance(prompt, str) else prompt[0]["content"]


@pytest.mark.parametrize(("form", "samples"), ORDERED)
def test_every_form_says_the_same(tmp_path, form, samples):
    assert rollouts(reader(FORMS[form](tmp_path, samples))) == samples


@pytest.mark.parametrize(("form", "samples"), ORDERED)
def test_rows_line_up_with_responses(tmp_path, form, samples):
    source = reader(FORMS[form](tmp_path, samples))
    response = "output" if form in DUMPS else "response"
    assert [row[response] for row in rows(source)] == [text for *_, text, _ in samples]


@pytest.mark.parametrize("form", LONG | DUMPS)
def test_rows_of_long_files_are_the_file(tmp_path, form):
    path = FORMS[form](tmp_path, SHUFFLED)
    written = (
        pq.read_table(path).to_pylist()
        if path.suffix == ".parquet"
        else [json.loads(line) for line in path.read_text().splitlines()]
    )
    assert rows(reader(path)) == written


@pytest.mark.parametrize("form", WIDE)
def test_rows_of_wide_files_repeat_what_their_line_says(tmp_path, form):
    found = rows(reader(FORMS[form](tmp_path, SAMPLES)))
    levels = [len(question) for question, *_ in SAMPLES]
    assert [row["original_extra_info"] for row in found] == [{"level": each} for each in levels]
    prompt = "original_messages" if "messages" in form else "prompt"
    assert [row[prompt] for row in found] == [chat(question) for question, *_ in SAMPLES]


def test_a_wide_line_keeps_the_columns_that_are_neither_its_responses_nor_its_rewards(tmp_path):
    line = {"prompt": "q", "response": ["a", "b"], "reward": [1, 0], "score": "AA", "output": "x"}
    found = rows(reader(write_lines(tmp_path / "wide.jsonl", [line])))
    assert [(row["original_score"], row["original_output"]) for row in found] == [("AA", "x")] * 2


def test_a_responses_column_leaves_other_columns(tmp_path):
    path = responses_parquet(tmp_path, SAMPLES, score=["AA", "B"], step=[7, 8])
    found = rows(reader(path))
    assert [row["original_step"] for row in found] == [7, 7, 7, 8]
    assert [row["original_score"] for row in found] == ["AA", "AA", "AA", "B"]


@pytest.mark.parametrize("form", [long_parquet, long_jsonl])
def test_rollouts_without_rewards_have_none(tmp_path, form):
    source = reader(form(tmp_path, SAMPLES, "reward"))
    assert source.load().rollouts["reward"].null_count == len(SAMPLES)
    assert texts(source) == [text for *_, text, _ in SAMPLES]


@pytest.mark.parametrize("form", [long_parquet, long_jsonl])
def test_samples_without_number_are_numbered_within_their_problem(tmp_path, form):
    source = reader(form(tmp_path, SHUFFLED, "sample_idx"))
    assert source.load().rollouts["sample_idx"].to_pylist() == [0, 0, 1, 2]


def test_samples_of_a_problem_in_several_files_have_different_numbers(tmp_path):
    for step in ("1", "2"):
        (tmp_path / step).mkdir()
        verl_dump(tmp_path / step, SAMPLES[:2])
    index = reader([f"{tmp_path}/1", f"{tmp_path}/2"]).load().rollouts
    assert index["problem"].to_pylist() == [0, 0, 0, 0]
    assert sorted(index["sample_idx"].to_pylist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("form", LONG)
def test_data_idx_is_the_file_s_own_or_the_place_among_the_problems(tmp_path, form):
    problems = reader(LONG[form](tmp_path, SAMPLES)).load().problems
    own = [0, 1] if "no data_idx" in form or "categories" in form else [10, 11]
    assert problems.table["data_idx"].to_pylist() == own


@pytest.mark.parametrize("form", FORMS)
def test_a_problem_remembers_where_its_row_stands(tmp_path, form):
    path = FORMS[form](tmp_path, SAMPLES)
    table = reader(path).load().problems.table
    assert table["file"].to_pylist() == [str(path)] * 2
    lengths: list[int | None] = [None, None]
    first = [0, 1] if form in WIDE else [0, 3]  # row of each problem
    if path.suffix == ".parquet":
        places = first
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        places = [len(b"".join(lines[:row])) for row in first]
        lengths = [len(each) for each in lines] if form in WIDE else lengths
    assert table["position"].to_pylist() == places
    assert table["length"].to_pylist() == lengths


def test_files_of_different_forms_are_read_together(tmp_path):
    names = ["parquet", "wide, completion", "responses column"]
    paths = []
    for name in names:
        (tmp_path / name).mkdir()
        paths.append(FORMS[name](tmp_path / name, SAMPLES))
    source = reader([str(path) for path in paths])
    assert [row[3:] for row in rollouts(source)] == [row[3:] for row in SAMPLES] * len(names)
    dump = str(verl_dump(tmp_path, SAMPLES))
    with pytest.raises(UserError, match="of the training steps 3 and of none"):
        reader([*map(str, paths), dump]).load()


def test_rows_of_files_with_different_columns_share_one_schema(tmp_path):
    parquet = long_parquet(tmp_path, SAMPLES)
    jsonl = long_jsonl(tmp_path, SAMPLES, "original_tags", original_level=3, note="new")
    source = reader([str(parquet), str(jsonl)])
    tables = list(source.rows())
    assert all(table.schema == tables[0].schema for table in tables)
    found = rows(source)
    assert [row["response"] for row in found] == texts(source)
    assert found[0]["original_tags"] == {"topic": "sums", "level": 6}
    assert found[-1]["original_tags"] is None
    assert [row["note"] for row in found] == [None] * 4 + ["new"] * 4


def test_structs_with_other_fields_in_another_file_keep_them(tmp_path):
    for name, info in (("a", {"level": 3}), ("b", {"split": "train", "level": 4})):
        row = {"prompt": name, "response": "x", "extra_info": info}
        write_lines(tmp_path / f"{name}.jsonl", [row])
    found = [row["extra_info"] for row in rows(reader(tmp_path))]
    assert found == [{"level": 3, "split": None}, {"level": 4, "split": "train"}]


def test_a_column_of_several_types_becomes_json_text(tmp_path):
    lines = [
        {"prompt": "a", "response": "x", "ground_truth": 4, "extra_info": {}},
        {"prompt": "b", "response": "y", "ground_truth": ["4", "four"], "extra_info": {}},
    ]
    source = reader(write_lines(tmp_path / "a.jsonl", lines))
    assert [json.loads(row["ground_truth"]) for row in rows(source)] == [4, ["4", "four"]]
    pq.write_table(next(source.rows()), tmp_path / "written.parquet")
    problems = source.load().problems
    assert [problems.samples([i])[i].ground_truth for i in range(2)] == [4, ["4", "four"]]


def test_an_integer_of_any_size_survives(tmp_path):
    line = {"prompt": "2 ** 70?", "response": "x", "ground_truth": 2**70}
    source = reader(write_lines(tmp_path / "a.jsonl", [line]))
    assert source.load().problems.samples([0])[0].ground_truth == 2**70
    assert [int(row["ground_truth"]) for row in rows(source)] == [2**70]


def test_a_line_with_a_single_choice_is_a_problem_with_one_rollout(tmp_path):
    lines = [
        {"prompt": f"q{i}", "reward": [{"score": 1.0}], "response": response}
        for i, response in enumerate(
            (
                {"role": "assistant", "content": "text"},
                {"choices": [{"message": {"content": "text"}}]},
                {"choices": [{"text": "text"}]},
                [{"message": {"content": "text"}}],
                ["text"],
                "text",
            )
        )
    ]
    source = reader(write_lines(tmp_path / "a.jsonl", lines))
    assert source.load().rollouts["problem"].to_pylist() == list(range(len(lines)))
    assert texts(source) == ["text"] * len(lines)


def test_rewards_alone_are_rollouts_whose_text_is_not_known(tmp_path):
    lines = [{"prompt": "q", "reward": [{"score": 1.0}, {"score": 0.0}]}]
    source = reader(write_lines(tmp_path / "a.jsonl", lines))
    assert source.load().rollouts["reward"].to_pylist() == [1.0, 0.0]
    assert texts(source) == [None, None]
    assert len(rows(source)) == 2


def test_a_chat_response_beside_a_sample_idx_is_one_rollout_of_its_problem(tmp_path):
    lines = [
        {
            "prompt": "q",
            "response": {"role": "assistant", "content": f"answer {i}"},
            "data_idx": 0,
            "sample_idx": i,
            "reward": 1.0,
        }
        for i in range(3)
    ]
    source = reader(write_lines(tmp_path / "a.jsonl", lines))
    index = source.load().rollouts
    assert index["problem"].to_pylist() == [0, 0, 0]
    assert index["sample_idx"].to_pylist() == [0, 1, 2]


@pytest.mark.parametrize("write", ["parquet", "jsonl"])
def test_order_holds_over_more_rows_than_a_batch(tmp_path, write):
    count = 70_000 if write == "parquet" else 9_000
    order = np.random.default_rng(0).permutation(count)
    columns = {
        "prompt": [f"q{i % 1000}" for i in order],
        "response": [str(i) for i in order],
        "data_idx": (order % 1000).tolist(),
        "sample_idx": (order // 1000).tolist(),
    }
    if write == "parquet":
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=30_000)
    else:
        names = list(columns)
        lines = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path = write_lines(tmp_path / "a.jsonl", lines)
    source = reader(path)
    problems, index, *_ = source.load()
    responses = pa.chunked_array(list(source.responses()))
    assert responses.to_pylist() == columns["response"]
    assert pa.concat_tables(source.rows())["response"].to_pylist() == columns["response"]
    assert index["sample_idx"].to_pylist() == columns["sample_idx"]
    of_index = problems.table["data_idx"].take(index["problem"])
    assert pc.all(pc.equal(of_index, pa.chunked_array([columns["data_idx"]]))).as_py()


def test_problems_of_verl_are_one_a_row_and_have_no_rollouts(tmp_path):
    table = pa.table(
        {
            "data_source": ["openai/gsm8k"] * 2,
            "prompt": [chat("1 + 1?"), chat("2 + 2?")],
            "ability": ["math"] * 2,
            "reward_model": [{"style": "rule", "ground_truth": each} for each in ("2", "4")],
            "extra_info": [{"split": "train", "index": i} for i in range(2)],
        }
    )
    pq.write_table(table, tmp_path / "train.parquet")
    write_lines(tmp_path / "train.jsonl", table.to_pylist())
    expected = [("openai/gsm8k", chat("1 + 1?"), "2"), ("openai/gsm8k", chat("2 + 2?"), "4")]
    for name in ("train.parquet", "train.jsonl"):
        source = data.Verl(str(tmp_path / name), "problem_id", "prompt", "reward_model")
        problems, index, rejected, *_ = source.load()
        assert index is None and not rejected
        samples = [problems.samples([i])[i] for i in range(2)]
        assert [(one.data_source, one.prompt, one.ground_truth) for one in samples] == expected
        assert [one.extra_info["index"] for one in samples] == [0, 1]


def test_problems_alone_are_no_rollouts(tmp_path):
    pq.write_table(pa.table({"prompt": ["a"], "answer": ["1"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="data=verl"):
        reader(tmp_path).load()
