"""What the jobs of a sweep on a real SLURM record for W&B."""

import os
import shutil
import subprocess

import pytest

CONF = {name: os.environ[name] for name in ("SLURM_CONF",) if name in os.environ}


@pytest.mark.slow
def test_every_job_records_a_run_of_the_sweep(run, tmp_path, recorded):
    there = shutil.which("sinfo") and subprocess.run(
        ["sinfo"], capture_output=True, env=os.environ | CONF
    )
    if not there or there.returncode:
        pytest.skip("there is no SLURM here")
    done = run(
        *("-m", "hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1"),
        *("tracker=wandb", "tracker.mode=offline", "bucketer=percentile,adaptive"),
        *("sampler=thompson", "trainer.steps=5"),
        **CONF,
    )
    assert done.returncode == 0, done.stderr
    jobs = [recorded(tmp_path / "out" / number) for number in "01"]
    assert [job.config["bucketer"] for job in jobs] == ["percentile", "adaptive"]
    assert [job.run["display_name"] for job in jobs] == ["bucketer=percentile", "bucketer=adaptive"]
    assert {job.run["run_group"] for job in jobs} == {"out"}
    assert {job.run["job_type"] for job in jobs} == {"training"}
    assert [job.exit_code for job in jobs] == [0, 0]
    assert jobs[0].summary["buckets/easy/count"] == 252
    assert list(jobs[0].rows("bucket/easy")) == [1, 2, 3, 4, 5]
    compared = recorded(tmp_path / "out")
    assert (compared.run["run_group"], compared.run["job_type"]) == ("out", "comparison")
    assert compared.table("runs")["status"].to_list() == ["completed", "completed"]
