"""Datasets through the `datasets` library: local files, folders and saved datasets."""

import json
import re
from typing import Any, cast

import pandas as pd
import pytest
from omegaconf import OmegaConf

from curriculum import data
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError

datasets = pytest.importorskip(
    "datasets", reason="datasets is not installed; CI has it in another environment"
)

COLUMNS: dict[str, Any] = {
    "id_key": "problem_id",
    "prompt_key": "prompt",
    "reward_fn_key": "reward_model",
}
ROWS = [
    {"question": "1 + 1?", "solution": "Count.\n#### 2", "level": 1},
    {"question": "999 + 1?", "solution": "Count longer.\n#### 1,000", "level": 3},
]
MAPPED = {
    "prompt_key": "question",
    "reward_fn_key": "solution",
    "answer_pattern": "#### (.+)",
    "answer_drop": ",",
}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """The library's cache, for what runs here and what `run` starts."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HF_HOME", str(folder))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder / "datasets")
    return folder


def option(name, path, **knobs):
    file = conf_dir() / "data" / f"{name}.yaml"
    node = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(file)))
    node.pop("_target_")
    return data.HuggingFace(**COLUMNS | node | {"path": str(path)} | knobs)


def load(path, **knobs):
    return option("huggingface", path, **knobs).load()


def samples(loaded):
    return [loaded.problems.samples([row])[row] for row in range(len(loaded.problems))]


def prompts(path, **knobs):
    return [each.prompt for each in samples(load(path, **knobs))]


def write(path, rows):
    frame = pd.DataFrame(rows)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # older versions'
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv", "a[1].jsonl"])
def test_columns_become_the_fields_of_a_problem(tmp_path, name):
    path = write(tmp_path / name, ROWS)
    loaded = load(path, **MAPPED, instruction=" Think.", data_source="sums", split="test")
    assert not loaded.rejected
    first, second = samples(loaded)
    assert first.prompt == "1 + 1? Think."
    assert [each.ground_truth for each in (first, second)] == ["2", "1000"]
    assert second.data_source == "sums"
    # What became a field as it stood is in no other place; the rest is kept.
    assert second.extra_info == ROWS[1] | {"index": 1, "split": "test"}
    plain = load(path, prompt_key="question", reward_fn_key="solution")
    assert samples(plain)[1].ground_truth == ROWS[1]["solution"]
    assert samples(plain)[1].extra_info == {"level": 3, "index": 1, "split": "train"}


def test_renamed_columns_keep_their_name_in_extra_info(tmp_path):
    path = write(tmp_path / "a.jsonl", ROWS)
    rename = {"question": "prompt", "solution": "ground_truth", "level": "problem_id"}
    loaded = load(path, rename=rename, answer_pattern="#### (.+)")
    assert loaded.problems.ids.to_pylist() == ["1", "3"]
    assert samples(loaded)[1].ground_truth == "1,000"
    info = {"solution": ROWS[1]["solution"], "index": 1, "split": "train"}
    assert samples(loaded)[1].extra_info == info


def test_a_source_that_is_given_leaves_the_column_s_in_extra_info(tmp_path):
    path = write(tmp_path / "a.jsonl", [{"prompt": "1 + 1?", "data_source": "theirs"}])
    (own,), (given,) = samples(load(path)), samples(load(path, data_source="mine"))
    assert (own.data_source, "data_source" in own.extra_info) == ("theirs", False)
    assert (given.data_source, given.extra_info["data_source"]) == ("mine", "theirs")


def test_numbers_may_be_prompts_and_a_ground_truth_may_be_missing(tmp_path):
    rows = [{"prompt": 11, "answer": 1000}, {"prompt": 12, "answer": None}]
    path = write(tmp_path / "a.jsonl", rows)
    found = samples(load(path, answer_drop="0"))
    assert [(each.prompt, each.ground_truth) for each in found] == [(11, "1"), (12, None)]
    assert [each.row for each in load(path, instruction=" Think.").rejected] == [1, 2]


def test_a_chat_gets_the_instruction_behind_the_user_s_last_message(tmp_path):
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "Sure?"},
    ]
    path = write(tmp_path / "a.jsonl", [{"messages": chat}, {"messages": chat[:1]}])
    loaded = load(path, prompt_key="messages", instruction=" Think.")
    (sample,) = samples(loaded)
    assert [each["content"] for each in sample.prompt] == [
        "Be brief.",
        "1 + 1?",
        "2",
        "Sure? Think.",
    ]
    (rejected,) = loaded.rejected
    assert (rejected.row, "of the user's" in rejected.cause) == (2, True)
    assert prompts(path, prompt_key="messages") == [chat, chat[:1]]


def test_data_of_verl_s_form_is_the_same_problems_as_verl_reads(tmp_path, test_data):
    path = test_data / "verl_polaris_eval" / "aime24.parquet"
    ours, theirs = load(path), data.Verl(path=str(path), **COLUMNS).load()
    assert ours.problems.ids.equals(theirs.problems.ids)
    assert len(ours.problems) == 30
    for key in ("data_source", "prompt", "ground_truth"):
        assert ours.problems.table[key].equals(theirs.problems.table[key])
    for one, other in zip(samples(ours), samples(theirs), strict=True):
        assert one.extra_info.items() >= other.extra_info.items()
        assert one.extra_info["ability"] == "math"


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("reward_model", {"reward_model": {"ground_truth": "2", "style": "rule"}}),
        ("data_source", {"reward_model": {"ground_truth": "2", "style": "rule"}}),
        ("reward_model", {"answer": "2"}),
        ("truth", {"truth": "2", "answer": "3"}),
        ("truth", {"truth": {"ground_truth": "2"}}),
        ("data_source", {"ground_truth": "2"}),
    ],
)
def test_the_ground_truth_stands_where_it_does_for_other_data(tmp_path, key, row):
    path = write(tmp_path / "a.jsonl", [{"prompt": "1 + 1?", "data_source": "sums", **row}])
    (sample,) = samples(load(path, reward_fn_key=key))
    assert (sample.data_source, sample.ground_truth) == ("sums", "2")
    ours, theirs = (
        load(path, reward_fn_key=key),
        data.Verl(str(path), **COLUMNS | {"reward_fn_key": key}),
    )
    assert ours.problems.ids.equals(theirs.load().problems.ids)


def test_rows_of_no_use_are_kept_aside_with_their_cause(tmp_path):
    rows = [*ROWS, ROWS[0] | {"question": ""}, ROWS[0] | {"solution": "No idea."}, ROWS[0]]
    rows += [ROWS[0] | {"solution": None}, ROWS[0] | {"question": None}]
    loaded = load(write(tmp_path / "a.jsonl", rows), **MAPPED)
    assert len(loaded.problems) == 3
    assert [each.row for each in loaded.rejected] == [3, 4, 6, 7]
    causes = [each.cause for each in loaded.rejected]
    assert ["no prompt under 'question'" in cause for cause in causes] == [True, False, False, True]
    assert "#### (.+)" in causes[1] and "#### (.+)" in causes[2]
    assert json.loads(loaded.rejected[1].text) == rows[3]


def test_a_folder_has_splits(tmp_path):
    for split, size in (("train", 3), ("test", 2)):
        write(tmp_path / f"{split}.jsonl", [{"prompt": f"{split} {i}"} for i in range(size)])
    assert prompts(tmp_path) == ["train 0", "train 1", "train 2"]
    assert prompts(tmp_path, split="test") == ["test 0", "test 1"]
    assert prompts(tmp_path, split="train[1:]") == ["train 1", "train 2"]
    assert len(option("huggingface", tmp_path).files()) == 2
    with pytest.raises(UserError, match=r"validation.*\['train', 'test'\][^)]*data\.split"):
        load(tmp_path, split="validation")
    with pytest.raises(UserError, match=r"'main' not found. Available: \['default'\]"):
        load(tmp_path, subset="main")


def test_a_folder_may_describe_its_subsets(tmp_path):
    card = "---\nconfigs:\n- config_name: easy\n  data_files: e.jsonl\n- config_name: hard\n"
    (tmp_path / "README.md").write_text(f"{card}  data_files: h.jsonl\n---\n")
    for name in "eh":
        write(tmp_path / f"{name}.jsonl", [{"prompt": name}])
    assert prompts(tmp_path, subset="hard") == ["h"]
    with pytest.raises(UserError, match=r"\['easy', 'hard'\]"):
        load(tmp_path)
    assert prompts(tmp_path / "e.jsonl", subset="hard", split="train[:1]") == ["e"]


def test_datasets_saved_to_disk(tmp_path):
    def made(prefix):
        return datasets.Dataset.from_dict({"prompt": [f"{prefix} {i}" for i in range(3)]})

    made("alone").select([2, 0]).save_to_disk(tmp_path / "alone")
    both = datasets.DatasetDict(train=made("train"), test=made("test"))
    both.save_to_disk(tmp_path / "both")
    assert prompts(tmp_path / "alone") == ["alone 2", "alone 0"]
    assert prompts(tmp_path / "alone", split="train[:1]") == ["alone 2"]
    assert prompts(tmp_path / "both", split="test") == ["test 0", "test 1", "test 2"]
    with pytest.raises(UserError, match=r"\['train', 'test'\]"):
        load(tmp_path / "both", split="nope")


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "a.jsonl"
    stamps = []
    for text in ("first", "other"):  # of equal length
        write(path, [{"prompt": text}])
        assert prompts(path) == prompts(tmp_path) == [text]
        stamps.append(option("huggingface", path).files())
    assert stamps[0] != stamps[1]
    assert [file.url for file in stamps[0]] == [str(path)]


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({}, ["no column prompt", "data.prompt_key", "question, solution, level"]),
        ({"prompt_key": "question", "reward_fn_key": "anser"}, ["anser", "data.reward_fn_key"]),
        ({"prompt_key": "question", "id_key": "uid"}, ["uid", "data.id_key", "level"]),
        ({"rename": {"ask": "prompt"}}, ["no column ask", "data.rename", "question"]),
        ({"rename": {"question": "level"}}, ["data.rename", "two columns"]),
        ({"answer_pattern": "("}, ["data.answer_pattern=(", "regular expression"]),
        ({"split": "train[:x]"}, ["train[:x]", "data.split"]),
    ],
)
def test_mistakes_are_told_with_what_there_is(tmp_path, knobs, words):
    path = write(tmp_path / "a.jsonl", ROWS)
    with pytest.raises(UserError) as caught:
        load(path, **knobs)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("text", ["", "not JSON\n"])
def test_files_that_can_t_be_read_are_named(tmp_path, text):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=r"a\.jsonl train can't be read: .+\n\(data\.path"):
        load(path)


def test_a_path_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for path in (tmp_path / "none.jsonl", "./none", "nobody/none"):
        with pytest.raises(UserError, match=r"none.*can't be read"):
            option("huggingface", path).files()


def test_columns_of_bytes_are_named(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame([{"prompt": "What is this?", "image": {"bytes": b"PNG"}}]).to_parquet(path)
    with pytest.raises(UserError, match=r"holds bytes .* in image"):
        load(path)


def as_verl_prepares_gsm8k(path, split):
    """What the loop of verl's examples/data_preprocess/gsm8k.py makes of the file."""
    for index, line in enumerate(path.read_text().splitlines()):
        row = json.loads(line)
        found = re.search("#### (\\-?[0-9\\.\\,]+)", row["answer"])
        assert found is not None
        instruction = 'Let\'s think step by step and output the final answer after "####".'
        content = row["question"] + " " + instruction
        yield {
            "data_source": "openai/gsm8k",
            "prompt": [{"role": "user", "content": content}],
            "ability": "math",
            "reward_model": {
                "style": "rule",
                "ground_truth": found.group(0).split("#### ")[1].replace(",", ""),
            },
            "extra_info": {"split": split, "index": index, **row},
        }


@pytest.mark.parametrize(("split", "size"), [("train", 7473), ("test", 1319)])
def test_gsm8k_is_the_problems_that_verl_s_example_makes(tmp_path, test_data, split, size):
    path = test_data / "gsm8k" / f"{split}.jsonl"
    prepared = list(as_verl_prepares_gsm8k(path, split))
    pd.DataFrame(prepared).to_parquet(tmp_path / "verl.parquet")
    theirs = data.Verl(path=str(tmp_path / "verl.parquet"), **COLUMNS).load()
    ours = option("gsm8k", path, split=split).load()
    assert len(ours.problems) == size and not ours.rejected
    assert ours.problems.ids.equals(theirs.problems.ids)  # of source, prompt and ground truth
    for row, sample in zip(prepared, samples(ours), strict=True):
        assert sample.prompt == row["prompt"][0]["content"]
        assert sample.ground_truth == row["reward_model"]["ground_truth"]
        assert sample.data_source == row["data_source"]
        assert sample.extra_info == row["extra_info"]


@pytest.mark.slow
def test_gsm8k_from_replayed_rollouts_to_files_that_verl_trains_on(
    run, tmp_path, test_data, read_result
):
    path = test_data / "gsm8k" / "test.jsonl"
    prepared = list(as_verl_prepares_gsm8k(path, "test"))
    rollouts = [
        {"prompt": row["prompt"], "response": answer}
        for i, row in enumerate(prepared)
        for answer in _answers(row["reward_model"]["ground_truth"], right=i % 5)
    ]
    options = [
        *("data=gsm8k", f"data.path={path}", "data.split=test"),
        *("convention=curriculum", "reward=exact_match", "export.val_fraction=0.1"),
        f"generator.path={write(tmp_path / 'rollouts.jsonl', rollouts)}",
    ]
    done = run(*options)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    result = read_result(out)
    assert (result["total_problems"], result["total_rollouts"]) == (1319, 4 * 1319)
    stages = [pd.read_parquet(path) for path in sorted(out.glob("*_*.parquet"))]
    rows = sorted(
        (row for stage in stages for row in stage.to_dict("records")),
        key=lambda row: row["extra_info"]["index"],
    )
    assert len(rows) == 1319
    for i, (row, verl) in enumerate(zip(rows, prepared, strict=True)):
        assert list(row["prompt"]) == verl["prompt"]
        assert (row["data_source"], row["reward_model"]) == ("openai/gsm8k", verl["reward_model"])
        info = row["extra_info"]
        assert {key: info[key] for key in verl["extra_info"]} == verl["extra_info"]
        assert info["original_index"] == str(i)
        assert info["difficulty_metrics"]["mean_score"] == i % 5 / 4
    again = run(*options)
    assert "problems: reused" in again.stderr, again.stderr


def _answers(truth, right):
    return [truth] * right + ["I don't know."] * (4 - right)


def test_verl_scores_the_problems_of_gsm8k(run, tmp_path, test_data):
    pytest.importorskip("verl", reason="verl is not installed; CI has it in another environment")
    path = test_data / "gsm8k" / "test.jsonl"
    prepared = list(as_verl_prepares_gsm8k(path, "test"))[:40]
    rollouts = [
        {"prompt": row["prompt"], "response": f"So it is\n#### {answer}"}
        for i, row in enumerate(prepared)
        for answer in _answers(row["reward_model"]["ground_truth"], right=i % 5)
    ]
    done = run(
        *("data=gsm8k", f"data.path={path}", "data.split='test[:40]'", "reward=verl"),
        f"generator.path={write(tmp_path / 'rollouts.jsonl', rollouts)}",
    )
    assert done.returncode == 0, done.stderr
    found = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert found["mean_reward"].tolist() == [i % 5 / 4 for i in range(40)]


def test_a_run_keeps_rows_of_no_use_aside(run, tmp_path, read_result):
    path = write(tmp_path / "a.jsonl", [*ROWS, ROWS[0] | {"solution": "No idea."}])
    replayed = [{"prompt": row["question"], "response": "1000"} for row in ROWS]
    done = run(
        *("data=huggingface", f"data.path={path}", "reward=exact_match"),
        *("data.rename={question: prompt, solution: answer}", "data.answer_drop=','"),
        "data.answer_pattern='#### (.+)'",
        f"generator.path={write(tmp_path / 'rollouts.jsonl', replayed)}",
    )
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "out")["counts"]["rejected_problems_rows"] == 1
    (line,) = (tmp_path / "out" / "rejects" / "problems_rows.jsonl").read_text().splitlines()
    assert json.loads(line)["row"] == 3
    found = pd.read_parquet(tmp_path / "out" / "problems.parquet")
    assert found["mean_reward"].tolist() == [0, 1]


def test_a_column_that_is_not_there_ends_a_run_with_those_that_are(run, tmp_path):
    done = run("data=huggingface", f"data.path={write(tmp_path / 'a.jsonl', ROWS)}")
    assert done.returncode == 1
    assert "its columns: question, solution, level" in done.stderr
    assert "Traceback" not in done.stderr


def test_columns_of_verl_s_schema_reach_the_files_that_verl_trains_on(run, tmp_path):
    rows: list[dict[str, Any]] = [
        {
            "data_source": "sums",
            "prompt": [{"role": "user", "content": f"{i} + 1?"}],
            "ability": "math",
            "agent_name": "tool_agent",
            "reward_model": {"ground_truth": str(i + 1), "style": "model"},
            "extra_info": {"index": 7 * i},
        }
        for i in range(6)
    ]
    replayed = [{"prompt": row["prompt"], "response": str(i)} for i, row in enumerate(rows)]
    done = run(
        *("data=huggingface", f"data.path={write(tmp_path / 'a.parquet', rows)}"),
        *("convention=curriculum", "reward=exact_match", "export.val_fraction=0"),
        *("bucketer=pass_rate", "bucketer.thresholds=[0.5]"),
        f"generator.path={write(tmp_path / 'rollouts.jsonl', replayed)}",
    )
    assert done.returncode == 0, done.stderr
    (stage,) = (tmp_path / "out").glob("*_train.parquet")
    for row, made in zip(rows, pd.read_parquet(stage).to_dict("records"), strict=True):
        for name in ("data_source", "ability", "agent_name", "reward_model"):
            assert made[name] == row[name]
        assert list(made["prompt"]) == row["prompt"]
        assert made["extra_info"]["original_index"] == str(row["extra_info"]["index"])
