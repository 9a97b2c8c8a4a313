"""Rewards given as text: numbers are numbers, everything else is rejected and never scored anew."""

import pyarrow as pa
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.core.records import Rollouts
from curriculum.run.scoring.scoring import read_recorded
from curriculum.testing import write_rows

FORMS = ["a.parquet", "a.jsonl"]


def write(path, rewards, prompts=None, schema=None, **more):
    pairs = zip(prompts or ["q"] * len(rewards), rewards, strict=True)
    rows = [
        {"prompt": prompt, "response": "x", "reward": reward, **more} for prompt, reward in pairs
    ]
    write_rows(path, rows, schema)
    return data.Rollouts(str(path), "problem_id", "prompt", "reward_model")


def rollouts(source):
    return Rollouts(source.load().rollouts, source.responses, source.rows)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: {"score": text}])
def test_numbers_in_text_are_numbers(tmp_path, name, wrap):
    source = write(tmp_path / name, [wrap(text) for text in ("1.0", "0", " -2.5e-1 ", "1.0")])
    assert read_recorded(rollouts(source), 0)["reward"].to_pylist() == [1.0, 0.0, -0.25, 1.0]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_text_of_any_kind_is_read(tmp_path, kind):
    schema = pa.schema([("prompt", pa.string()), ("response", pa.string()), ("reward", kind)])
    source = write(tmp_path / "a.parquet", ["1.0", None, "0.5"], schema=schema)
    assert source.load().rollouts["reward"].to_pylist() == [1.0, None, 0.5]


@pytest.mark.parametrize("name", FORMS)
def test_other_text_is_rejected_with_its_row(tmp_path, name):
    source = write(tmp_path / name, ["1", "good", "0", None, ""])
    loaded = source.load()
    assert [(row.row, row.file) for row in loaded.rejected] == [
        (2, f"{tmp_path}/{name}"),
        (5, f"{tmp_path}/{name}"),
    ]
    assert "'good'" in loaded.rejected[0].cause
    used = loaded.rollouts.filter(pa.compute.field("problem") >= 0)
    assert used["reward"].to_pylist() == [1.0, 0.0, None]


@pytest.mark.parametrize("name", FORMS)
def test_text_for_nan_and_infinity_is_a_failure_that_says_so(tmp_path, name):
    source = write(tmp_path / name, ["NaN", "1", "-inf", None])
    table = read_recorded(rollouts(source), 3)
    assert table["reward"].to_pylist() == [None, 1.0, None, None]
    assert table["failure"].to_pylist() == [
        "the recorded reward is nan",
        None,
        "the recorded reward is -inf",
        "no recorded reward",
    ]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("rewards", [["good", "bad"], ["good", None]])
def test_rewards_of_which_none_can_be_read_are_not_none_recorded(tmp_path, name, rewards):
    with pytest.raises(UserError, match=f"{name}:1: .*'good'"):
        write(tmp_path / name, rewards).load()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("reward", ["nan", float("nan"), float("inf"), {"score": float("nan")}])
def test_rewards_that_are_all_unknown_are_recorded_and_an_error(tmp_path, name, reward):
    found = rollouts(write(tmp_path / name, [reward, None]))
    assert found.recorded
    with pytest.raises(UserError, match="rollout 0: the recorded reward is"):
        read_recorded(found, 100)


@pytest.mark.parametrize("name", FORMS)
def test_rewards_that_are_all_null_are_none(tmp_path, name):
    assert not rollouts(write(tmp_path / name, [None, None])).recorded


@pytest.mark.parametrize("name", FORMS)
def test_an_empty_column_does_not_hide_the_rewards_of_another(tmp_path, name):
    source = write(tmp_path / name, [None, None], score="0.0")
    assert read_recorded(rollouts(source), 0)["reward"].to_pylist() == [0.0, 0.0]


@pytest.mark.parametrize("name", FORMS)
def test_a_row_that_is_rejected_records_nothing(tmp_path, name):
    source = write(tmp_path / name, [None, 1.0], ["q", ""])
    assert not rollouts(source).recorded
