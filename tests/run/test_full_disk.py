"""Disks that are full or take no writes, and folders that are damaged."""

import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import pytest

LARGEST = 20_000  # bytes; the page and vega.js are larger, result.json is not


@pytest.fixture
def rollouts(tmp_path):
    path = tmp_path / "rollouts.jsonl"
    rows = [
        {"prompt": f"{row}?", "response": str(k), "reward": float(k > row % 4), "data_idx": row}
        for row in range(12)
        for k in range(4)
    ]
    pd.DataFrame(rows).to_json(path, orient="records", lines=True)
    return [f"data.path={path}", "data=rollouts"]


@contextmanager
def small_disk(folder, size="600k"):
    """A disk of its own; skipped where none may be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_file_that_may_not_be_so_large_is_one_line_and_a_record(rollouts, tmp_path, read_result):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))

    command = [sys.executable, "run.py", *rollouts, f"output_dir={tmp_path}/out"]
    done = subprocess.run(
        [*command, f"store_dir={tmp_path}/store"],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: a file may not be that large here (ulimit -f): ")
    assert "store_dir" in last and "Traceback" not in done.stderr
    result = read_result(tmp_path / "out")
    assert result["status"] == "failed" and "ulimit -f" in result["error"]


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_a_record(run, rollouts, tmp_path, read_result):
    with small_disk(tmp_path / "disk") as disk:
        done = run(*rollouts, f"store_dir={disk}/store")
        last = done.stderr.splitlines()[-1]
        assert done.returncode == 1
        assert last.startswith(f"error: the disk is full: {disk}/store")
        assert " MB are left there" in last and "Traceback" not in done.stderr
        assert read_result(tmp_path / "out")["status"] == "failed"
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        done = run(*rollouts, f"store_dir={disk}/store")
        assert done.returncode == 0, done.stderr
        assert "problems: reused" in done.stderr


@pytest.mark.slow
def test_a_disk_that_takes_no_writes_is_one_line(run, rollouts, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = run(*rollouts, f"output_dir={disk}/out")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: the disk takes no writes: {disk}/out could not be")
        done = run(*rollouts, f"store_dir={disk}/store")
        assert done.returncode == 1
        assert f"error: the disk takes no writes: {disk}/store could not be" in done.stderr


@pytest.mark.parametrize("text", ['{"status": "comp', "[1]", "\x00\x00"])
def test_a_damaged_result_is_one_line_that_says_what_to_do(run, rollouts, tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_text(text)
    done = run(*rollouts)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/out/result.json is ")
    assert line.endswith("remove it, or name another output_dir")


def test_what_killed_runs_had_half_written_goes_away(run, rollouts, tmp_path):
    assert run(*rollouts, "until=metrics").returncode == 0
    half = tmp_path / "out" / f".report.html.{'0f' * 16}.partial"
    half.write_text("<html>")
    (tmp_path / "out" / ".mine.partial").write_text("somebody's own")
    assert run(*rollouts, "until=metrics").returncode == 0
    assert not half.exists() and (tmp_path / "out" / ".mine.partial").exists()
    assert json.loads((tmp_path / "out" / "result.json").read_text())["status"] == "completed"
