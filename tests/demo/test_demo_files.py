"""`python -m curriculum.demo FOLDER`: five forms of the same rollouts."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from curriculum.demo.__main__ import write

SHIPPED = "curriculum/demo/rollouts.parquet"
SOURCES = ["chain_sum", "gcd", "products", "spell_backward"]


def demo(*arguments):
    command = [sys.executable, "-m", "curriculum.demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files; the folder and the one above it are made."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "demo files"
    done = demo(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{folder}: first.parquet, rollouts, rollouts.parquet, second.parquet, train.parquet\n"
    )
    return folder


@pytest.fixture(scope="module")
def shipped():
    """The demo with the truth and the reward of each rollout."""
    frame = pd.read_parquet(SHIPPED)
    truth = frame["original_reward_model"].str.get("ground_truth")
    reward = (frame["response"].str.strip() == truth).astype(float)
    return frame.assign(truth=truth, reward=reward)


@pytest.fixture(scope="module")
def lines(folder):
    """Lines of all JSONL files, by their file."""
    return {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted((folder / "rollouts").iterdir())
    }


def test_the_files(folder):
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        *("train.parquet", "rollouts.parquet", "first.parquet", "second.parquet"),
        *(f"rollouts/{source}.jsonl" for source in SOURCES),
    }


def test_the_rollouts_are_the_shipped_ones_without_rewards(folder):
    frame = pd.read_parquet(folder / "rollouts.parquet")
    pd.testing.assert_frame_equal(frame, pd.read_parquet(SHIPPED))
    assert "reward" not in frame


def test_the_halves_are_the_first_and_last_eight_of_each(folder, shipped):
    halves = [pd.read_parquet(folder / f"{name}.parquet") for name in ("first", "second")]
    assert [sorted(half["sample_idx"].unique()) for half in halves] == [
        list(range(8)),
        list(range(8, 16)),
    ]
    for half in halves:
        assert (half.groupby("data_idx").size() == 8).all()
        assert half["data_idx"].nunique() == 1008
    both = pd.concat(halves).sort_values(["data_idx", "sample_idx"], ignore_index=True)
    columns = ["data_idx", "sample_idx", "prompt", "response"]
    ordered = shipped.sort_values(["data_idx", "sample_idx"], ignore_index=True)
    assert both[columns].equals(ordered[columns])


def test_training_problems_are_those_of_the_rollouts(folder, shipped):
    train = pd.read_parquet(folder / "train.parquet")
    problems = shipped.drop_duplicates("data_idx").reset_index(drop=True)
    assert set(train) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert len(train) == 1008
    assert train["data_source"].tolist() == problems["original_data_source"].tolist()
    assert [len(prompt) for prompt in train["prompt"]] == [1] * 1008
    assert [prompt[0]["role"] for prompt in train["prompt"]] == ["user"] * 1008
    assert [prompt[0]["content"] for prompt in train["prompt"]] == problems["prompt"].tolist()
    assert train["reward_model"].tolist() == problems["original_reward_model"].tolist()
    assert {each["style"] for each in train["reward_model"]} == {"rule"}
    assert train["extra_info"].tolist() == problems["original_extra_info"].tolist()


def test_a_line_has_a_problem_with_all_its_rewards(lines, shipped):
    assert list(lines) == SOURCES
    assert {name: len(each) for name, each in lines.items()} == dict.fromkeys(SOURCES, 252)
    groups = {index: group for index, group in shipped.groupby("data_idx")}
    ours = [line for source in lines for line in lines[source]]
    wanted = sorted(groups.values(), key=lambda group: group.iloc[0]["original_data_source"])
    for line, group in zip(ours, wanted, strict=True):
        assert line["prompt"] == [{"role": "user", "content": group.iloc[0]["prompt"]}]
        assert line["ground_truth"] == group.iloc[0]["truth"]
        assert line["data_source"] == group.iloc[0]["original_data_source"]
        assert line["extra_info"] == group.iloc[0]["original_extra_info"]
        assert [each["content"] for each in line["response"]] == group["response"].tolist()
        assert [each["score"] for each in line["reward"]] == group["reward"].tolist()


def test_every_source_has_problems_of_all_kinds(lines):
    for source in lines.values():
        means = {sum(each["score"] for each in line["reward"]) / 16 for line in source}
        assert {0.0, 1.0} <= means
        assert len(means) > 4


@pytest.mark.slow
def test_a_run_on_each_form_finds_the_same(run, folder, tmp_path, shipped):
    problems, rollouts = f"data.path={folder}/train.parquet", f"generator.path={folder}/rollouts"
    forms = {
        "flat": ["data=rollouts", f"data.path={folder}/rollouts.parquet"],
        "lines": ["data=verl", problems, rollouts],
    }
    tables = []
    for name, arguments in forms.items():
        done = run(*arguments, f"output_dir={tmp_path}/{name}")
        assert done.returncode == 0, done.stderr
        tables.append(pd.read_parquet(tmp_path / name / "problems.parquet"))
    expected = shipped.groupby("data_idx")["reward"].mean().to_dict()
    columns = ["problem_id", "data_idx", "data_source", "bucket", "mean_reward"]
    for table in tables:
        assert table.set_index("data_idx")["mean_reward"].to_dict() == expected
        assert table[columns].equals(tables[0][columns])


def test_again_into_the_same_folder(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_a_folder_that_is_a_file_is_an_error_without_a_traceback(tmp_path):
    (tmp_path / "taken").write_text("mine")
    done = demo(tmp_path / "taken")
    assert done.returncode == 1
    assert str(tmp_path / "taken") in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "taken").read_text() == "mine"
