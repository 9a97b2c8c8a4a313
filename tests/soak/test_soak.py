"""Runs that are killed anywhere go on to the same files: a few of what `make soak` does."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak import trees

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_killed_runs_leave_the_same_files():
    """In a process of its own, which forks before it has threads."""
    command = [sys.executable, "-m", "tests.soak.soak", "--kills", "20", "--seed", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("20 runs ")


def test_a_difference_is_found(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text('{"finished": "now", "counts": {"a": 1}}')
    (tmp_path / "out" / "buckets.json").write_text("{}")
    (tmp_path / "out" / "run.log").write_text("12:00 begun")
    first = trees.contents(tmp_path)
    (tmp_path / "out" / "result.json").write_text('{"finished": "later", "counts": {"a": 1}}')
    (tmp_path / "out" / "run.log").write_text("13:00 begun")
    assert trees.differences(trees.contents(tmp_path), first) == []
    (tmp_path / "out" / "result.json").write_text('{"finished": "later", "counts": {"a": 2}}')
    (tmp_path / "out" / "buckets.json").unlink()
    (tmp_path / "out" / f".report.html.{'0f' * 16}.partial").write_text("<html>")
    assert trees.differences(trees.contents(tmp_path), first) == [
        "out/buckets.json: missing",
        "out/result.json: differs",
    ]
    assert trees.partial_files(tmp_path) == [f"out/.report.html.{'0f' * 16}.partial"]
