"""The table of a sweep, also when the sweep is long over or went wrong."""

import json
import shutil
import subprocess
import sys

import pytest

from curriculum.compare.runs import describe_edges


def compare(folder):
    command = [sys.executable, "-m", "curriculum.compare", str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_the_table_can_be_printed_again(run, tmp_path):
    done = run("-m", "bucketer=percentile,mean_reward")
    shown = compare(tmp_path / "out")
    assert shown.returncode == 0
    assert "easy 252, medium 252, hard 252, very_hard 252" in shown.stdout
    assert shown.stdout.strip() in done.stdout


@pytest.mark.slow
def test_a_job_that_was_killed_is_a_row(run, tmp_path):
    run("-m", "bucketer=percentile,mean_reward,pass_rate")
    (tmp_path / "out" / "1" / "result.json").unlink()
    shown = compare(tmp_path / "out")
    assert shown.returncode == 1
    assert "unfinished" in shown.stdout
    runs = json.loads((tmp_path / "out" / "comparison.json").read_text())["runs"]
    assert [each["status"] for each in runs] == ["completed", "unfinished", "completed"]


@pytest.mark.slow
def test_runs_are_compared_on_the_problems_they_share(run, tmp_path):
    run("-m", "bucketer=percentile,pass_rate")
    assert (
        run(
            f"output_dir={tmp_path}/other", "data=rollouts", f"data.path={few(tmp_path)}"
        ).returncode
        == 0
    )
    shutil.copytree(tmp_path / "other", tmp_path / "out" / "other")
    compare(tmp_path / "out")
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [pair["problems"] for pair in content["adjusted_rand_index"]] == [1008, 10, 10]


def few(tmp_path):
    import pandas as pd

    path = tmp_path / "few.parquet"
    pd.read_parquet("curriculum/demo/rollouts.parquet").query("data_idx % 100 == 0").iloc[
        :160
    ].to_parquet(path)
    return path


def test_a_folder_without_runs_is_an_error_that_says_so(tmp_path):
    shown = compare(tmp_path)
    assert shown.returncode == 1
    assert "has no runs" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("saved", "shown"),
    [
        ({"cuts": {"metric": "a", "values": [0.75, 0.5]}, "summary": ""}, "0.75, 0.5"),
        ({"cuts": {"metric": "a", "values": [0.25, 1e-13]}, "summary": ""}, "0.25, 0"),
        ({"cuts": {"metric": "a", "values": [1.7e308]}, "summary": ""}, "inf"),
        ({"cuts": None, "summary": "mean_reward near 1, 0"}, "mean_reward near 1, 0"),
        ({"edges": {"rates": [0.5]}}, ""),
    ],
)
def test_edges_read_in_the_unit_of_the_metric(saved, shown):
    assert describe_edges(saved) == shown


@pytest.mark.slow
def test_names_with_brackets_are_text_and_the_markdown_is_a_table(run, tmp_path):
    done = run("-m", "bucketer.names=[a,b,c,'[bold]']", "bucketer=percentile,threshold")
    assert done.returncode == 1
    assert "[bold] 252" in done.stdout
    rows = (tmp_path / "out" / "comparison.md").read_text().splitlines()[:4]
    assert len({row.count("|") for row in rows}) == 1
