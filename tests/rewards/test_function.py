"""`reward=function`: found and called as verl does it."""

import pytest

from curriculum.core.errors import UserError
from curriculum.core.records import Sample
from curriculum.rewards import Function
from curriculum.testing import check_reward

SAMPLES = [
    Sample("sums", "1 + 1?", "2", "2", {"level": 1}),
    Sample("sums", "1 + 2?", "2", "3", {"level": 2}),
]
NUMBER = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(solution_str == ground_truth)
"""
DICT = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return {"score": solution_str == ground_truth, "acc": 0.5}
"""
ASYNC = """
import asyncio

async def compute_score(data_source, solution_str, ground_truth, extra_info):
    await asyncio.sleep(0)
    return float(solution_str == ground_truth)
"""
ASYNC_DICT = """
async def compute_score(data_source, solution_str, ground_truth, extra_info):
    return {"score": float(solution_str == ground_truth)}
"""
DATACLASS = """
from __future__ import annotations

from dataclasses import dataclass

@dataclass
class Answer:
    text: str

def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(Answer(solution_str) == Answer(ground_truth))
"""


@pytest.fixture
def make(tmp_path):
    def make(code, name="compute_score", **reward_kwargs):
        (tmp_path / "reward.py").write_text(code)
        return Function(str(tmp_path / "reward.py"), name, reward_kwargs)

    return make


@pytest.mark.parametrize("code", [NUMBER, DICT, ASYNC, ASYNC_DICT, DATACLASS])
def test_what_a_function_may_be(make, code):
    assert make(code).score(SAMPLES) == [1.0, 0.0]
    check_reward(lambda: make(code), SAMPLES)


def test_a_function_sees_its_problem_and_the_keyword_arguments(make):
    code = """
def grade(data_source, solution_str, ground_truth, extra_info, scale, offset=0):
    assert data_source == "sums"
    return scale * extra_info["level"] + offset
"""
    assert make(code, "grade", scale=10).score(SAMPLES) == [10.0, 20.0]
    assert make(code, "grade", scale=10, offset=1).score(SAMPLES) == [11.0, 21.0]


def test_a_function_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "grading_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "exact.py").write_text(NUMBER)
    monkeypatch.syspath_prepend(str(tmp_path))
    for path in ("pkg://grading_package.exact", "pkg://grading_package/exact"):
        assert Function(path, "compute_score", {}).score(SAMPLES) == [1.0, 0.0]


def test_a_missing_file_is_an_error_before_any_work(tmp_path):
    with pytest.raises(UserError, match=r"no .*missing\.py: a Python file"):
        Function(str(tmp_path / "missing.py"), "compute_score", {})


def test_a_missing_function_is_named(make):
    with pytest.raises(UserError, match=r"reward\.py has no function 'grade' \(reward\.name\)"):
        make(NUMBER, "grade").score(SAMPLES)


def test_a_file_that_is_not_python_is_named(tmp_path):
    (tmp_path / "reward.yaml").write_text("a: 1\n")
    with pytest.raises(UserError, match=r"reward\.yaml is not a Python file"):
        Function(str(tmp_path / "reward.yaml"), "compute_score", {}).score(SAMPLES)
