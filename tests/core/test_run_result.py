"""`result.json` says what a run came to, in one form, written and read by one type."""

import json

import pytest

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.run_result import RunResult


def test_what_is_written_is_read_again(tmp_path):
    result = RunResult(
        "completed",
        overrides=["a=1"],
        choices={"metric": "mean_reward"},
        results={"total_problems": 3, "buckets": {"easy": {"count": 3}}},
        files_by_kind={"kind": ["a.json"]},
        counts={"rollouts": 12},
    )
    result.write(tmp_path)
    assert RunResult.load(tmp_path) == result
    content = json.loads((tmp_path / "result.json").read_text())
    assert content["total_problems"] == 3  # beside the other keys
    assert "results" not in content
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_run_that_has_not_ended_has_none(tmp_path):
    assert RunResult.load(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"total": 1}'])
def test_another_file_of_the_name_is_no_result(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UserError, match=r"result\.json"):
        RunResult.load(tmp_path)


def test_a_file_that_fails_midway_leaves_the_one_before(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(ValueError, match="midway"), whole(path) as partial:
        partial.write_text("half of it")
        raise ValueError("midway")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
