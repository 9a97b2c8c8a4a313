"""Rollouts as verl dumps them, and read again."""

import json

import pandas as pd
import pytest

from curriculum.core.errors import UserError
from curriculum.layouts import generations
from curriculum.run import pipeline
from curriculum.run.context import Context
from curriculum.testing import write_rows

CHAT = [
    {"role": "system", "content": "Antworte kurz, bitte."},
    {"role": "user", "content": "Wie heißt „ñ“?\u2028Zweite Zeile"},
]


@pytest.fixture
def dumped(composed_values, tmp_path):
    """Rollouts through the pipeline with export.generations=true: the folder."""

    def dumped(path, *overrides, name="out"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        values = composed_values(
            "trainer=none",
            "data=rollouts",
            f"data.path={path}",
            "export.generations=true",
            f"output_dir={folder}",
            f"store_dir={tmp_path}/store",
            *overrides,
        )
        choices = {"reward": "auto", "metric": "mean_reward", "bucketer": "percentile"}
        context = Context.of(values, folder, choices)
        pipeline.run(values, context)
        context.ledger.write()
        return folder

    return dumped


def rollouts(problems=3, samples=4):
    return [
        {
            "data_source": "test",
            "prompt": f"question {i}",
            "ground_truth": {"answer": [i, None]},
            "response": f"answer {j}\n\tto {i}: “ñ” 🎲",
            "reward": (i + j) / 8,
        }
        for i in range(problems)
        for j in range(samples)
    ]


def lines_of(folder):
    """All lines, file after file."""
    paths = sorted(folder.glob("generations_*.jsonl"), key=lambda path: int(path.stem[12:]))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def groups_of(folder):
    """{prompt: (ground truth, rewards)} of what a run measured."""
    table = pd.read_parquet(folder / "problems.parquet").set_index("prompt")
    return table[["problem_id", "ground_truth", "n", "c", "mean_reward", "std_reward"]].to_dict()


def test_every_rollout_is_a_line_in_verl_s_form(dumped, tmp_path):
    rows = rollouts()
    folder = dumped(write_rows(tmp_path / "in.jsonl", rows))
    lines = lines_of(folder)
    wanted = [
        {
            "input": row["prompt"],
            "output": row["response"],
            "gts": row["ground_truth"],
            "score": row["reward"],
            "step": 0,
        }
        for row in rows
    ]
    assert [{key: line[key] for key in wanted[0]} for line in lines] == wanted
    assert list(lines[0])[:4] == ["input", "output", "gts", "score"]
    assert [line["sample_idx"] for line in lines] == [0, 1, 2, 3] * 3
    ids = pd.read_parquet(folder / "problems.parquet")["problem_id"]
    assert [line["problem_id"] for line in lines] == ids.repeat(4).tolist()
    assert [path.name for path in folder.glob("gen*")] == ["generations_0.jsonl"]


def test_text_is_kept_and_readable(dumped, tmp_path):
    text = 'Zeile\r\n\u2028 \x85 \x00 "quoted" \\boxed{½} 🎲 עברית'
    row = {"prompt": "¿qué?", "ground_truth": "ñ", "response": text, "reward": 1.0}
    folder = dumped(write_rows(tmp_path / "in.jsonl", [row]))
    content = (folder / "generations_0.jsonl").read_bytes()
    assert json.loads(content)["output"] == text
    assert content.count(b"\n") == 1
    assert "¿qué?" in content.decode("utf-8")


def test_a_chat_of_several_messages_is_kept(dumped, tmp_path):
    rows = [{"prompt": CHAT, "ground_truth": "enje", "response": "eñe", "reward": 0.5}]
    rows += [{"prompt": CHAT[1:], "ground_truth": "enje", "response": "eñe", "reward": 0.25}]
    folder = dumped(write_rows(tmp_path / "in.jsonl", rows))
    chat, text = lines_of(folder)
    assert chat["input"] == CHAT
    assert text["input"] == CHAT[1]["content"]

    again = dumped(folder / "generations_0.jsonl", name="again")
    assert [line["input"] for line in lines_of(again)] == [chat["input"], text["input"]]
    assert [line["problem_id"] for line in lines_of(again)] == [
        line["problem_id"] for line in (chat, text)
    ]


def test_many_rollouts_are_several_files(dumped, tmp_path, monkeypatch):
    monkeypatch.setattr(generations, "LINES", 5)
    folder = dumped(write_rows(tmp_path / "in.jsonl", rollouts()))
    texts = [(folder / f"generations_{n}.jsonl").read_bytes() for n in range(3)]
    parts = [[json.loads(line) for line in text.splitlines()] for text in texts]
    assert [len(part) for part in parts] == [5, 5, 2]
    assert [{line["step"] for line in part} for part in parts] == [{0}] * 3
    outputs = [line["output"] for part in parts for line in part]
    assert outputs == [row["response"] for row in rollouts()]
    assert len(list(folder.glob("generations_*"))) == 3


def test_files_that_a_shorter_run_does_not_need_go(dumped, tmp_path, monkeypatch):
    monkeypatch.setattr(generations, "LINES", 5)
    dumped(write_rows(tmp_path / "in.jsonl", rollouts()))
    folder = dumped(write_rows(tmp_path / "in.jsonl", rollouts(problems=1)))
    assert [path.name for path in folder.glob("generations_*")] == ["generations_0.jsonl"]


@pytest.mark.parametrize("lines", [5, 20_000])
def test_read_again_they_are_the_same_problems_and_rewards(dumped, tmp_path, monkeypatch, lines):
    monkeypatch.setattr(generations, "LINES", lines)
    folder = dumped(write_rows(tmp_path / "in.jsonl", rollouts()))
    again = dumped(f"{folder}/generations_*.jsonl", name="again")
    assert groups_of(again) == groups_of(folder)
    own = [{**line, "step": None} for line in lines_of(folder)]
    assert [{**line, "step": None} for line in lines_of(again)] == own


@pytest.mark.slow
def test_long_parquet_is_the_same_problems_read_again(dumped, tmp_path):
    frame = pd.DataFrame(
        {
            "prompt": ["a", "a", "b", "b"],
            "response": ["1", "2", "3", "4"],
            "data_idx": [7, 7, 9, 9],
            "sample_idx": [1, 0, 0, 1],
            "reward": [0.5, 1.0, 0.0, 0.25],
            "original_reward_model": [{"style": "rule", "ground_truth": "1"}] * 4,
            "original_data_source": ["gsm8k"] * 4,
        }
    )
    frame.to_parquet(tmp_path / "in.parquet")
    folder = dumped(tmp_path / "in.parquet")
    lines = lines_of(folder)
    assert [line["gts"] for line in lines] == ["1"] * 4
    assert [(line["input"], line["sample_idx"], line["score"]) for line in lines] == list(
        zip(frame["prompt"], frame["sample_idx"], frame["reward"], strict=True)
    )
    again = dumped(folder / "generations_0.jsonl", name="again")
    assert groups_of(again) == groups_of(folder)


def test_problems_that_read_the_same_stay_apart(dumped, tmp_path):
    frame = pd.DataFrame(
        {
            "prompt": ["a"] * 4,
            "response": ["1", "2", "3", "4"],
            "data_idx": [0, 0, 1, 1],
            "sample_idx": [0, 1, 0, 1],
            "reward": [0.0, 0.0, 1.0, 1.0],
        }
    )
    frame.to_parquet(tmp_path / "in.parquet")
    folder = dumped(tmp_path / "in.parquet")
    again = dumped(folder / "generations_0.jsonl", name="again")
    for each in (folder, again):
        assert pd.read_parquet(each / "problems.parquet")["mean_reward"].tolist() == [0.0, 1.0]


def test_a_failed_rollout_has_no_score(dumped, tmp_path):
    rows = rollouts()
    rows[5]["reward"] = None
    folder = dumped(write_rows(tmp_path / "in.jsonl", rows))
    lines = lines_of(folder)
    assert [line["score"] for line in lines] == [row["reward"] for row in rows]
    assert lines[5]["output"] == rows[5]["response"]

    again = dumped(folder / "generations_0.jsonl", name="again")
    assert groups_of(again) == groups_of(folder)
    assert groups_of(again)["n"] == {"question 0": 4, "question 1": 3, "question 2": 4}


def test_rollouts_of_no_problem_are_left_out(dumped, tmp_path):
    write_rows(tmp_path / "rollouts.jsonl", rollouts())
    problems = write_rows(tmp_path / "problems.jsonl", rollouts(problems=2)[::4])
    folder = dumped(problems, "data=verl", f"generator.path={tmp_path}/rollouts.jsonl")
    assert [line["input"] for line in lines_of(folder)] == ["question 0"] * 4 + ["question 1"] * 4


@pytest.mark.parametrize("preset", ["filter_difficulty", "bucket_rollouts", "curriculum"])
def test_they_stand_beside_the_files_of_any_layout(dumped, tmp_path, preset):
    rows = [
        {
            "prompt": [{"role": "user", "content": f"question {i}"}],
            "response": [{"role": "assistant", "content": f"answer {j}"} for j in range(3)],
            "reward": [{"score": float(j < i)} for j in range(3)],
            "ground_truth": str(i),
        }
        for i in range(4)
    ]
    path = write_rows(tmp_path / "in.jsonl", rows)
    folder = dumped(path, f"preset={preset}", "data=rollouts")
    assert [(line["input"], line["output"], line["score"]) for line in lines_of(folder)] == [
        (f"question {i}", f"answer {j}", float(j < i)) for i in range(4) for j in range(3)
    ]
    names = {path.name for path in folder.iterdir() if path.suffix in (".jsonl", ".parquet")}
    assert len(names - {"generations_0.jsonl", "buckets.parquet"}) >= 1


def test_they_do_not_overwrite_what_the_run_reads(dumped, tmp_path):
    folder = dumped(write_rows(tmp_path / "in.jsonl", rollouts()))
    before = (folder / "generations_0.jsonl").read_bytes()
    with pytest.raises(UserError, match="is input of this run: choose an output_dir"):
        dumped(folder / "generations_0.jsonl")
    assert (folder / "generations_0.jsonl").read_bytes() == before


def test_none_unless_asked_for(dumped, tmp_path):
    path = write_rows(tmp_path / "in.jsonl", rollouts())
    assert not list(dumped(path, "export.generations=false").glob("generations_*"))


def test_as_a_user_asks_for_them(run, tmp_path):
    write_rows(tmp_path / "in.jsonl", rollouts())
    done = run(
        "preset=filter_difficulty",
        "data=rollouts",
        f"data.path={tmp_path}/in.jsonl",
        "export.generations=true",
    )
    assert done.returncode == 0, done.stderr
    assert "generations_0.jsonl" in done.stdout
    assert "difficulty_metrics_percentile.json" in done.stdout
    assert [line["score"] for line in lines_of(tmp_path / "out")] == [
        row["reward"] for row in rollouts()
    ]
