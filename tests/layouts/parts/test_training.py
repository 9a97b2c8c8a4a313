"""Rows of verl's schema: what was the problem's own stays, what the run knows is added."""

import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf
from scipy.stats import beta

from curriculum import data
from curriculum.bucketers import Percentile
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.layouts import Export, Stages
from curriculum.metrics import MeanReward, PassRate, Variance
from curriculum.testing import STANDARD, make_measured, write_rows

EXPORT = Export(**OmegaConf.load(conf_dir() / "config.yaml").export)
KEYS = ("problem_id", "prompt", "reward_model")


def outcome_of(source, n=3, **options):
    return make_measured(source, Percentile(n, None), **options)


@pytest.fixture
def export(tmp_path):
    """Write stage files of some data; their table in order of `index`, and the manifest."""

    def export(source, val_fraction=0.1, ground_truth="auto", **options):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        chosen = replace(EXPORT, val_fraction=val_fraction, ground_truth=ground_truth)
        written = Stages().write(outcome_of(source, **options), folder, chosen)
        tables = [pq.read_table(path) for path, _ in written if path.suffix == ".parquet"]
        assert all(table.schema.equals(tables[0].schema, check_metadata=True) for table in tables)
        table = pa.concat_tables(tables)
        index = [info["index"] for info in table["extra_info"].to_pylist()]
        assert len(set(index)) == len(index)
        order = pa.array(np.argsort(index))
        return table.take(order), json.loads((folder / "stages.json").read_text())

    return export


def rollouts(path, cls=data.Rollouts, **more):
    return cls(path if isinstance(path, list) else str(path), *KEYS, **more)


def rows_with(values, **more):
    """A problem for each dict of fields, each with two rollouts."""
    return [
        {"prompt": f"question {i}", "responses": ["a", "b"], "rewards": [i / 10, 0.0]}
        | more
        | value
        for i, value in enumerate(values)
    ]


def with_rewards(path, to, seed=0):
    """The problems of a verl file with four random rewards each, in lists."""
    table, rng = pq.read_table(path), np.random.default_rng(seed)
    rewards = rng.integers(0, 2, (len(table), 4)).astype(float).tolist()
    table = table.append_column("responses", pa.array([["r0", "r1", "r2", "r3"]] * len(table)))
    pq.write_table(table.append_column("rewards", pa.array(rewards)), to)
    return rollouts(to)


def ground_truths(table):
    return [each["ground_truth"] for each in table["reward_model"].to_pylist()]


def infos(table):
    return table["extra_info"].to_pylist()


def truth_type(table):
    return table.schema.field("reward_model").type.field("ground_truth").type


# What rows have of their own.


def test_rows_of_verl_s_schema_keep_their_fields(tmp_path, export):
    rows: list[dict[str, Any]] = [
        {
            "data_source": f"source {i % 2}",
            "prompt": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": f"question {i}"},
            ],
            "ability": ["math", "code"][i % 2],
            "reward_model": {"style": "model", "ground_truth": str(i), "weight": i / 4},
            "extra_info": {"split": "train", "index": i, "tags": ["x"] * (i % 3)},
        }
        for i in range(9)
    ]
    given = [row | {"responses": ["a", "b"], "rewards": [1.0, i / 9]} for i, row in enumerate(rows)]
    table, manifest = export(rollouts(write_rows(tmp_path / "in.parquet", given)))
    assert table.column_names == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    for got, own in zip(table.to_pylist(), rows, strict=True):
        for name in ("data_source", "prompt", "ability", "reward_model"):
            assert got[name] == own[name]
        assert got["extra_info"]["split"] == "train"
        assert got["extra_info"]["tags"] == own["extra_info"]["tags"]
    assert manifest["json_text"] == [] and manifest["stand_ins"] == {}


def test_lines_of_a_rollout_script_get_what_they_lack_and_it_is_said_once(tmp_path, export, caplog):
    rows = [
        {
            "num": i,
            "prompt": [{"role": "user", "content": f"question {i}"}],
            "response": {"choices": [{"message": {"content": text}} for text in "ab"]},
            "reward": [{"score": 0}, {"score": i / 4, "V_i": 0.25}],
            "ground_truth": "4",
        }
        for i in range(9)
    ]
    rows[3]["data_source"], rows[5]["ability"] = "own", "poetry"
    with caplog.at_level(logging.WARNING):
        table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    sources = ["bucketed_curriculum"] * 9
    sources[3] = "own"
    abilities = ["instruction_following"] * 9
    abilities[5] = "poetry"
    assert table["data_source"].to_pylist() == sources
    assert table["ability"].to_pylist() == abilities
    assert table["reward_model"].to_pylist() == [{"style": "rule", "ground_truth": "4"}] * 9
    assert manifest["stand_ins"] == {"data_source": 8, "ability": 8}
    for words in ("bucketed_curriculum", "instruction_following"):
        assert sum(words in message for message in caplog.messages) == 1


def test_a_source_that_is_called_unknown_is_the_row_s_own(tmp_path, export):
    rows = rows_with([{"data_source": name} for name in ("unknown", "gsm8k", "unknown")])
    table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)), val_fraction=0)
    assert table["data_source"].to_pylist() == ["unknown", "gsm8k", "unknown"]
    assert "data_source" not in manifest["stand_ins"]


def test_marked_columns_of_long_rollouts_are_the_problem_s_own(tmp_path, export):
    rows = [
        {
            "prompt": f"question {i}",
            "response": f"answer {j}",
            "data_idx": i,
            "sample_idx": j,
            "reward": float(j < i),
            "original_data_source": "sums",
            "original_ability": "math",
            "original_reward_model": {"style": "rule", "ground_truth": i},
            "original_extra_info": {"index": 100 + i},
        }
        for i in range(6)
        for j in range(4)
    ]
    table, _ = export(rollouts(write_rows(tmp_path / "in.parquet", rows)))
    assert set(table["data_source"].to_pylist()) == {"sums"}
    assert set(table["ability"].to_pylist()) == {"math"}
    assert ground_truths(table) == list(range(6))
    assert [info["original_index"] for info in infos(table)] == [str(100 + i) for i in range(6)]


def test_prompts_become_chats(tmp_path, export):
    chats = [
        "a text",
        [{"role": "user", "content": "a chat"}],
        [{"role": "system", "content": "s"}, {"role": "user", "content": "two"}],
    ]
    rows = rows_with([{"prompt": each} for each in chats])
    table, _ = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    assert table["prompt"].to_pylist() == [[{"role": "user", "content": "a text"}], *chats[1:]]


def test_prompts_of_texts_and_of_parts_are_an_error(tmp_path, export):
    parts = [{"role": "user", "content": [{"type": "text", "text": "look"}]}]
    rows = rows_with([{"prompt": "a text"}, {"prompt": parts}])
    with pytest.raises(UserError, match="several forms"):
        export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))


def test_the_agent_s_name_goes_along(tmp_path, export):
    rows = rows_with([{"agent_name": "tool"}, {"agent_name": "single_turn"}, {"other": 1}])
    table, _ = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    assert table["agent_name"].to_pylist() == ["tool", "single_turn", None]
    assert table["other"].to_pylist() == [None, None, 1]


def test_columns_of_the_data_go_along_and_those_of_rollouts_are_listed(tmp_path, export, caplog):
    marked = {"original_level": 3, "original_topics": ["sums"], "original_uid": "u"}
    rows = [
        {"prompt": f"q{i // 2}", "response": f"r{i}", "reward": i % 2, "logprob": -i, **marked}
        for i in range(8)
    ]
    for name in ("in.jsonl", "in.parquet"):
        caplog.clear()
        table, manifest = export(rollouts(write_rows(tmp_path / name, rows)), val_fraction=0)
        assert table["level"].to_pylist() == [3] * 4
        assert table["topics"].to_pylist() == [["sums"]] * 4
        assert not {"response", "reward", "logprob", "uid"} & {*table.column_names}
        left_out = {"may_be_of_a_rollout": ["logprob"], "names_of_verl": ["uid"]}
        assert manifest["left_out_columns"] == left_out
        assert sum("one rollout alone: logprob (" in message for message in caplog.messages) == 1
        assert sum("of these names: uid" in message for message in caplog.messages) == 1


def test_what_says_the_prompt_the_truth_or_the_id_again_is_no_further_column(tmp_path, export):
    rows = [
        {"question": f"q{i}", "answer": f"a{i}", "key": f"k{i}", "level": i, **two}
        for i in range(3)
        for two in [{"responses": ["x", "y"], "rewards": [1.0, 0.0], "completions": ["z"]}]
    ]
    names = {"prompt": "question", "ground_truth": "answer", "problem_id": "key"}
    source = rollouts(write_rows(tmp_path / "in.jsonl", rows), columns=names)
    table, manifest = export(source, val_fraction=0)
    assert table.column_names[5:] == ["level"]
    assert manifest["left_out_columns"]["may_be_of_a_rollout"] == ["completions"]


OF_ROLLOUTS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "named columns": ({"mine": "text", "mark": 1.0}, {"response": "mine", "reward": "mark"}, None),
    "named lists": (
        {"mine": ["a", "b"], "mark": [1.0, 0.0]},
        {"response": "mine", "reward": "mark"},
        None,
    ),
    "a number that is chosen": ({"response": "text", "mark": 1.0}, {}, "mark"),
    "messages as the answer": (
        {"response": [{"role": "assistant", "content": "x"}], "reward": 1.0},
        {},
        None,
    ),
    "a completion": ({"response": {"choices": [{"text": "x"}]}, "reward": 1.0}, {}, None),
    "a reward alone": ({"is_correct": True}, {}, None),
}


@pytest.mark.parametrize(("own", "names", "key"), OF_ROLLOUTS.values(), ids=OF_ROLLOUTS)
@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet"])
def test_what_is_of_rollouts_is_in_no_stage_file(tmp_path, export, name, own, names, key):
    rows = [{"prompt": f"q{i}", "tokens": 7, "original_level": i, **own} for i in range(3)]
    source = rollouts(write_rows(tmp_path / name, rows), columns=names, reward_key=key)
    table, manifest = export(source, val_fraction=0)
    several = any(isinstance(value, list) and value[0] == "a" for value in own.values())
    assert sorted(table.column_names[5:]) == ["level"] + ["tokens"] * several
    unsure = manifest["left_out_columns"]["may_be_of_a_rollout"]
    assert unsure == [] if several else "tokens" in unsure


def test_all_columns_of_problems_that_stand_apart_are_theirs(tmp_path, export):
    problems = [{"prompt": f"q{i}", "answer": "a", "code": "x", "level": i} for i in range(3)]
    answers = [{"prompt": f"q{i}", "response": "x", "reward": 1.0} for i in range(3)]
    replay = rollouts(write_rows(tmp_path / "answers.jsonl", answers))
    path = write_rows(tmp_path / "in.parquet", problems)
    table, _ = export(rollouts(path, data.Verl), replay=replay, val_fraction=0)
    assert table.column_names[5:] == ["code", "level"]


RAGGED = [{"names": ["a"], "kwargs": [{"n": 1}]}, {"names": ["b"], "kwargs": [{"word": "x"}]}]


@pytest.mark.parametrize("values", [RAGGED, RAGGED[:1] * 2])
def test_a_key_says_what_ground_truths_become(tmp_path, export, values):
    rows = rows_with([{"ground_truth": each} for each in values])
    source = rollouts(write_rows(tmp_path / "in.jsonl", rows))
    text, manifest = export(source, val_fraction=0, ground_truth="text")
    assert list(map(json.loads, ground_truths(text))) == values
    assert manifest["json_text"] == [], "as it was asked for"
    objects, manifest = export(source, val_fraction=0, ground_truth="object")
    for got, own in zip(ground_truths(objects), values, strict=True):
        kwargs = [{k: v for k, v in each.items() if v is not None} for each in got["kwargs"]]
        assert {**got, "kwargs": kwargs} == own
    assert manifest["json_text"] == []


def test_ground_truths_without_a_common_type_can_be_no_objects(tmp_path, export):
    rows = rows_with([{"ground_truth": each} for each in ({"a": 1}, "text")])
    source = rollouts(write_rows(tmp_path / "in.jsonl", rows))
    with pytest.raises(UserError, match=r"no common type .* export\.ground_truth=text"):
        export(source, val_fraction=0, ground_truth="object")


# Ground truths and extra_info of whatever type.


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["4", "x", "y"], pa.string()),
        ([4, 5, None], pa.int64()),
        ([0.5, 1e300, 2.25], pa.float64()),
        ([True, False, True], pa.bool_()),
        ([["a"], [], ["b", "c"]], pa.list_(pa.string())),
        ([{"a": 1, "b": ["x"]}] * 3, pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
        ([None, None, None], pa.string()),
    ],
    ids=str,
)
def test_ground_truths_of_one_type_keep_it(tmp_path, export, caplog, values, kind):
    rows = rows_with([{"ground_truth": each} for each in values])
    with caplog.at_level(logging.WARNING):
        table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    assert ground_truths(table) == values
    assert truth_type(table) == kind
    assert manifest["json_text"] == []
    assert "JSON text" not in caplog.text


@pytest.mark.parametrize(
    "values",
    [
        [{"instruction_id_list": ["a"], "kwargs": [{}, {"num_words": 300}]}, {"n": 1}],
        [{"kwargs": [{}]}, {"kwargs": [{"num_words": 300, "relation": "at least"}]}],
        [{"kwargs": [{}]}, {"kwargs": [{}]}],
        [1, 2.5],
        [1, "one"],
        [["a"], "a"],
        [["1"], [1]],
        [True, 1],
        [{"a": None}, {}],
        [10**30, 1],
        ["[1]", [1]],
        [None, 1, "1"],
    ],
    ids=str,
)
def test_ground_truths_of_several_types_become_text_that_gives_them_back(
    tmp_path, export, caplog, values
):
    rows = rows_with([{"ground_truth": each} for each in values])
    with caplog.at_level(logging.WARNING):
        table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)), val_fraction=0)
    assert truth_type(table) == pa.string()
    for got, own in zip(ground_truths(table), values, strict=True):
        if own is None or isinstance(own, str):
            assert got == own
        else:
            back = json.loads(got)
            assert back == own and type(back) is type(own)
    assert manifest["json_text"] == ["reward_model.ground_truth"]
    assert sum("ground_truth has values of several types" in each for each in caplog.messages) == 1


def test_ids_of_any_type_stay_as_strings(tmp_path, export):
    own = [7, "9a9b6eb4-a1cb-49d1-8c1e-62eaf2f74079", None, 0, "0"]
    rows = rows_with([{"extra_info": {"index": each}} for each in own])
    rows[2]["extra_info"] = {"split": "train"}
    table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    kind = table.schema.field("extra_info").type
    assert kind.field("index").type == pa.int64()
    assert kind.field("original_index").type == pa.string()
    assert [info["index"] for info in infos(table)] == list(range(5))
    assert [info["original_index"] for info in infos(table)] == ["7", own[1], None, "0", "0"]
    assert manifest["json_text"] == []


def test_index_is_unique_over_all_files_of_the_data(tmp_path, export):
    for name in ("a", "b", "c"):
        rows = rows_with([{"extra_info": {"index": i}} for i in range(5)], data_source=name)
        write_rows(tmp_path / f"{name}.jsonl", rows)
    table, _ = export(rollouts(f"{tmp_path}/*.jsonl"))
    assert [info["index"] for info in infos(table)] == list(range(15))
    assert [info["original_index"] for info in infos(table)] == [str(i) for i in range(5)] * 3


def test_extra_info_of_clashing_types_becomes_text_field_by_field(tmp_path, export):
    own = [
        {"level": 3, "split": "train", "tools": {"a": {}}},
        {"level": "hard", "split": "train"},
        {"split": "test", "tools": {"b": {"c": [1, {}]}}},
        {"level": None},
    ]
    rows = rows_with([{"extra_info": each} for each in own])
    table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)), val_fraction=0)
    got = infos(table)
    assert [info["level"] for info in got] == ["3", "hard", None, None]
    assert [info["split"] for info in got] == ["train", "train", "test", None]
    assert [info["tools"] and json.loads(info["tools"]) for info in got] == [
        {"a": {}},
        None,
        {"b": {"c": [1, {}]}},
        None,
    ]
    assert sorted(manifest["json_text"]) == ["extra_info.level", "extra_info.tools"]


def test_an_extra_info_that_is_no_object_is_kept(tmp_path, export):
    rows = rows_with([{"extra_info": "a note"}, {"extra_info": {"split": "train"}}, {}])
    table, _ = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    assert [info["extra_info"] for info in infos(table)] == ["a note", None, None]
    assert [info["split"] for info in infos(table)] == [None, "train", None]


@pytest.mark.parametrize(
    ("name", "kind", "source"),
    [
        ("aime24", pa.string(), "test-math-aime24"),
        ("amc23", pa.float64(), "bucketed_curriculum"),
        ("minerva", pa.list_(pa.field("element", pa.string())), "bucketed_curriculum"),
    ],
)
def test_ground_truths_of_a_real_file_alone_keep_their_type(
    tmp_path, export, test_data, name, kind, source
):
    path = test_data / "verl_polaris_eval" / f"{name}.parquet"
    table, manifest = export(with_rewards(path, tmp_path / "in.parquet"))
    original = pq.read_table(path)
    assert ground_truths(table) == ground_truths(original)
    assert truth_type(table).equals(kind)
    assert table["prompt"].to_pylist() == original["prompt"].to_pylist()
    assert table["ability"].to_pylist() == original["ability"].to_pylist()
    assert set(table["data_source"].to_pylist()) == {source}
    index = [str(info["index"]) for info in infos(original)]
    assert [info["original_index"] for info in infos(table)] == index
    assert manifest["json_text"] == []


def test_ground_truths_of_real_files_together_become_text(tmp_path, export, test_data):
    folder = test_data / "verl_polaris_eval"
    names = ("aime24", "aime25", "amc23", "minerva", "olympiad")
    originals = [
        row for name in names for row in pq.read_table(folder / f"{name}.parquet").to_pylist()
    ]
    replayed = [
        {
            "prompt": row["prompt"],
            "response": f"{i} {j}",
            "data_idx": i,
            "sample_idx": j,
            "reward": float((i + j) % 3 == 0),
        }
        for i, row in enumerate(originals)
        for j in range(2)
    ]
    paths = [str(folder / f"{name}.parquet") for name in names]
    table, manifest = export(
        rollouts(paths, data.Verl),
        replay=rollouts(write_rows(tmp_path / "r.parquet", replayed), data.Rollouts),
    )
    assert len(table) == len(originals) == 1090
    assert manifest["json_text"] == ["reward_model.ground_truth"]
    for got, row in zip(table.to_pylist(), originals, strict=True):
        truth = row["reward_model"]["ground_truth"]
        text = got["reward_model"]["ground_truth"]
        assert (text if isinstance(truth, str) else json.loads(text)) == truth
        assert got["prompt"] == row["prompt"]
        assert got["extra_info"]["id"] == row["extra_info"].get("id")
        assert got["extra_info"]["split"] == row["extra_info"]["split"]
        i = got["extra_info"]["index"]
        j = [k for k in range(2) if (i + k) % 3 == 0] or [0]
        assert got["extra_info"]["best_response"]["content"] == f"{i} {j[0]}"
    assert manifest["stand_ins"] == {"data_source": 1030}


def test_instructions_of_ifeval_come_back_as_they_were(tmp_path, export, test_data):
    lines = (test_data / "ifeval" / "en_input_data.jsonl").read_text().splitlines()
    truths = [
        {name: line[name] for name in ("instruction_id_list", "kwargs")}
        for line in map(json.loads, lines)
    ]
    rows = [
        {
            "prompt": line["prompt"],
            "responses": ["a"],
            "rewards": [i % 7 / 6],
            "reward_model": {"ground_truth": truth},
            "extra_info": {"index": line["key"]},
        }
        for i, (line, truth) in enumerate(zip(map(json.loads, lines), truths, strict=True))
    ]
    table, manifest = export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))
    assert len(table) == len(lines) > 500
    assert [json.loads(text) for text in ground_truths(table)] == truths
    assert manifest["json_text"] == ["reward_model.ground_truth"]
    keys = [str(json.loads(line)["key"]) for line in lines]
    assert [info["original_index"] for info in infos(table)] == keys


# What the run knows.


def long_rollouts(seed=0, problems=40):
    """Problems with 1 to 12 rollouts in shuffled rows; rewards of quarters, some of them null."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(problems):
        rewards = (rng.integers(0, 6, rng.integers(1, 13)) / 4).tolist()
        if len(rewards) > 3:
            rewards[int(rng.integers(len(rewards)))] = None
        rows += [
            {
                "prompt": f"question {i}",
                "response": f"answer {i}.{j}",
                "data_idx": i,
                "sample_idx": j,
                "reward": reward,
            }
            for j, reward in enumerate(rewards)
        ]
    return [rows[i] for i in rng.permutation(len(rows))]


def by_prompt(table):
    """{prompt: extra_info}"""
    return {row["prompt"][0]["content"]: row["extra_info"] for row in table.to_pylist()}


@pytest.mark.parametrize("name", ["in.parquet", "in.jsonl"])
def test_the_best_response_is_the_first_with_the_highest_reward(tmp_path, export, name):
    rows = long_rollouts()
    got = by_prompt(export(rollouts(write_rows(tmp_path / name, rows)))[0])
    frame = (
        pd.DataFrame(rows).dropna().sort_values(["reward", "sample_idx"], ascending=[False, True])
    )
    best = frame.groupby("prompt").first()
    assert len(got) == len(best) == 40
    for prompt, row in best.iterrows():
        assert got[prompt]["best_response"] == {
            "role": "assistant",
            "content": row["response"],
            "score": row["reward"],
            "sample_idx": row["sample_idx"],
        }


def test_best_responses_of_lines_with_choices(tmp_path, export):
    choices = [{"message": {"role": "assistant", "content": text}} for text in "abcd"]
    scores: dict[str, list[float | None]] = {
        "tie": [0.5, 1, 1, 0],
        "failed": [None, 0, 0.25, None],
        "negative": [-2, -1, -3, -1],
    }
    rows = [
        {
            "prompt": prompt,
            "response": {"choices": choices},
            "reward": [{"score": score} for score in each],
        }
        for prompt, each in scores.items()
    ]
    got = by_prompt(export(rollouts(write_rows(tmp_path / "in.jsonl", rows)))[0])
    best = {prompt: info["best_response"] for prompt, info in got.items()}
    assert {prompt: each["content"] for prompt, each in best.items()} == {
        "tie": "b",
        "failed": "c",
        "negative": "b",
    }
    assert {prompt: each["score"] for prompt, each in best.items()} == {
        "tie": 1,
        "failed": 0.25,
        "negative": -1,
    }


def test_best_responses_of_a_list_column(tmp_path, export):
    rows = rows_with([{"rewards": [0.0, 1.0]}, {"rewards": [1.0, 1.0]}, {"rewards": [0.0, 0.25]}])
    got = by_prompt(export(rollouts(write_rows(tmp_path / "in.parquet", rows)))[0])
    assert [info["best_response"]["content"] for info in got.values()] == ["b", "a", "b"]


def test_difficulty_metrics_against_pandas_and_scipy(tmp_path, export):
    rows = long_rollouts(seed=1)
    got = by_prompt(export(rollouts(write_rows(tmp_path / "in.parquet", rows)))[0])
    for prompt, rewards in pd.DataFrame(rows).dropna().groupby("prompt")["reward"]:
        n, c = len(rewards), int((rewards >= 0.5).sum())
        tails = [0.1, 0.9] if c in (0, n) else [0.05, 0.95]  # all on one side at the ends
        low, high = (beta.ppf(tail, 0.5 + c, 0.5 + n - c) for tail in tails)
        low, high = (0.0 if c == 0 else low), (1.0 if c == n else high)
        metrics = got[prompt]["difficulty_metrics"]
        assert metrics == {
            "mean_score": pytest.approx(rewards.mean(), abs=1e-12),
            "max_score": rewards.max(),
            "pass_rate": pytest.approx(c / n, abs=1e-12),
            "pass_rate_low": pytest.approx(low, abs=1e-9),
            "pass_rate_high": pytest.approx(high, abs=1e-9),
            "n": n,
            "c": c,
        }
        assert got[prompt]["complexity_score"] == pytest.approx(1 - rewards.mean(), abs=1e-9)


def test_pass_rates_are_shares_where_the_convention_has_percent(tmp_path, export, composed_values):
    measure = composed_values("convention=filter_difficulty")["measure"]
    config = replace(STANDARD, **{k: measure[k] for k in ("threshold", "strict", "scale")})
    assert config.scale == 100
    metric = PassRate(config.threshold, config.strict, config.scale)
    source = rollouts(write_rows(tmp_path / "in.parquet", long_rollouts(seed=2)))
    table, manifest = export(source, metric=metric, option="pass_rate", standard=config)
    assert manifest["complexity_score"] == "pass_rate"
    for info in infos(table):
        metrics = info["difficulty_metrics"]
        assert metrics["pass_rate"] == metrics["c"] / metrics["n"]
        assert 0 <= metrics["pass_rate_low"] < metrics["pass_rate_high"] <= 1
    rates = [info["difficulty_metrics"]["pass_rate"] for info in infos(table)]
    scores = [info["complexity_score"] for info in infos(table)]
    assert (np.diff(np.array(scores)[np.argsort(rates)]) <= 1e-9).all()


@pytest.mark.parametrize(
    ("metric", "option"), [(MeanReward(), "mean_reward"), (Variance(), "variance")]
)
def test_complexity_is_higher_the_harder_by_the_run_s_metric(tmp_path, export, metric, option):
    rows = long_rollouts(seed=3)
    source = rollouts(write_rows(tmp_path / "in.parquet", rows))
    table, manifest = export(source, metric=metric, option=option)
    assert manifest["complexity_score"] == option
    rewards = pd.DataFrame(rows).dropna().groupby("prompt")["reward"]
    expected = 1 - rewards.mean() if option == "mean_reward" else rewards.var(ddof=0)
    got = by_prompt(table)
    scores = {prompt: info["complexity_score"] for prompt, info in got.items()}
    assert scores == pytest.approx(expected.to_dict(), abs=1e-9)
    stages = pd.DataFrame(infos(table)).groupby("curriculum_stage")["complexity_score"]
    low, high = stages.min(), stages.max()
    assert high["easy"] <= low["medium"] and high["medium"] <= low["hard"]


def test_problems_without_a_reward_are_in_no_stage(tmp_path, export):
    rows = rows_with([{}, {"rewards": [None, None]}, {}, {"rewards": [None, 0.5]}])
    table, _ = export(rollouts(write_rows(tmp_path / "in.parquet", rows)))
    assert list(by_prompt(table)) == ["question 0", "question 2", "question 3"]
    assert [info["index"] for info in infos(table)] == [0, 2, 3]
    assert [info["difficulty_metrics"]["n"] for info in infos(table)] == [2, 2, 1]


# Stage files are data again.


def test_stage_files_read_as_data_keep_ids_and_original_ids(tmp_path, export):
    rows = rows_with(
        [{"extra_info": {"index": f"own-{i}"}, "ground_truth": [i, "x"][i % 2]} for i in range(12)]
    )
    source = rollouts(write_rows(tmp_path / "in.jsonl", rows))
    first, _ = export(source)
    paths = sorted(map(str, tmp_path.glob("*/easy_*.parquet")))
    replay = rollouts(tmp_path / "in.jsonl", data.Rollouts)
    second, manifest = export(rollouts(paths, data.Verl), replay=replay)
    before = {prompt: info for prompt, info in by_prompt(first).items()}
    easy = {prompt for prompt, info in before.items() if info["curriculum_stage"] == "easy"}
    after = by_prompt(second)
    assert set(after) == easy and len(easy) == 4
    for prompt, info in after.items():
        for name in ("problem_id", "original_index", "difficulty_metrics", "best_response"):
            assert info[name] == before[prompt][name]
    assert {info["curriculum_stage"] for info in after.values()} == {"easy", "medium", "hard"}
    assert sorted(info["index"] for info in after.values()) == list(range(4))
    assert second.schema.equals(first.schema)
    assert manifest["stand_ins"] == {}


def test_the_data_s_own_ids_stay(tmp_path, export):
    rows = rows_with([{"problem_id": f"p{i}"} for i in range(3)])
    table, _ = export(rollouts(write_rows(tmp_path / "in.parquet", rows)))
    assert [info["problem_id"] for info in infos(table)] == ["p0", "p1", "p2"]
    assert [info["original_index"] for info in infos(table)] == [None] * 3
