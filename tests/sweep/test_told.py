"""What a terminal shows of a sweep is two lines a job; each job's log has the rest."""

import json

import pytest

from curriculum.core.run_result import RunResult
from curriculum.sweep import told


@pytest.fixture
def rollouts(tmp_path):
    """Four problems of two rollouts each."""
    rows = [
        {"prompt": f"q {i}", "response": "r", "data_idx": i, "sample_idx": j, "reward": reward}
        for i in range(4)
        for j, reward in enumerate((float(i < 3), float(i < 2)))
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.slow
def test_two_lines_a_job_and_all_it_says_in_its_log(run, rollouts, tmp_path):
    chosen = ("preset=analyze_rollouts", f"data.path={rollouts}", "data.limit=3")
    done = run("-m", *chosen, "bucketer=pass_rate,threshold")
    assert done.returncode == 1
    logs = [tmp_path / "out" / str(job) / "run.log" for job in range(2)]
    sizes = "very_easy 2, easy 0, medium 1, hard 0, very_hard 0"
    assert done.stderr.splitlines() == [
        f"job 0: bucketer=pass_rate; its log: {logs[0]}",
        f"job 0 completed: {sizes} (warnings in its log: 2)",
        f"job 1: bucketer=threshold; its log: {logs[1]}",
        "job 1 failed: bucketer.thresholds is required",
    ]
    assert "ANALYSIS SUMMARY" not in done.stdout
    first, second = (path.read_text() for path in logs)
    assert "data.limit=3: the first of 4 problems are used" in first
    assert "mean@5: left out for all 3 problems" in first
    assert "ANALYSIS SUMMARY" in first and "\n  medium: 1 problems\n" in first
    assert "bucketer.thresholds is required" in second


DRY_RUN = {"groups_with_gradient": 0.714, "never_drawn": 1, "prompts": 9}
TRAINED = {"groups_with_gradient": 0.5, "pass_rate_before": 0.1, "pass_rate_after": 0.25}


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({"buckets": {"easy": {"count": 1200}, "hard": {"count": 0}}}, ": easy 1,200, hard 0"),
        ({"batches": 3, "total_batches": 16}, ": 3 of 16 batches are there"),
        ({"scored_rollouts": 1, "rollouts_in_all": 4000}, ": 1 of 4,000 rollouts are scored"),
        ({"total_problems": 1008}, ": 1,008 problems"),
        ({}, ""),
        (
            {"buckets": {}, "training": {"arms": {"thompson": DRY_RUN, "uniform": {}}}},
            ": 71% of groups with a gradient, 1 of 9 prompts never drawn",
        ),
        (
            {"training": {"arms": {"frontier": TRAINED}}},
            ": held-out pass rate 0.100 -> 0.250, 50% of groups with a gradient",
        ),
    ],
)
def test_the_main_result_of_a_job(tmp_path, results, said):
    RunResult("completed", results=results).write(tmp_path)
    assert told.ended(tmp_path) == f"completed{said}"


def test_what_became_of_a_job_without_one(tmp_path):
    assert told.ended(tmp_path) == "missing: it has not started"
    RunResult("failed", error="UserError: no\nand why").write(tmp_path)
    assert told.ended(tmp_path) == "failed: no"
