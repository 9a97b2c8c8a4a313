"""Another user's folder: what it would run is listed, and nothing is run."""

import json
import os

import pytest

from curriculum.core.errors import UserError
from curriculum.sweep.resume import expanded

OTHER = 54321  # a uid that nobody has

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def theirs(run, tmp_path):
    """A sweep with a reward of its own, of somebody else."""
    (tmp_path / "reward.py").write_text("def compute_score(**_):\n    return 1.0\n")
    rows = [{"prompt": "p", "response": "a", "ground_truth": "a", "data_idx": 0, "sample_idx": 0}]
    (tmp_path / "rollouts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = run(
        *("-m", "data=rollouts", f"data.path={tmp_path}/rollouts.jsonl", "seed=0,1"),
        *("reward=function", f"reward.path={tmp_path}/reward.py", "reward.workers=1", "+trust=yes"),
    )
    assert done.returncode == 0, done.stderr
    os.chown(tmp_path / "out", OTHER, -1)
    return tmp_path / "out"


def test_a_sweep_of_another_user_goes_on_only_where_it_is_trusted(theirs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        expanded([f"resume={theirs}"])
    assert f"uid {OTHER}" in str(error.value)
    assert f"reward.path={tmp_path}/reward.py" in str(error.value)
    arguments = expanded([f"resume={theirs}", "trust=yes"])
    assert "trust=yes" in arguments
    assert "+trust=yes" not in arguments  # what the sweep says of itself
    os.chown(theirs, os.geteuid(), -1)
    os.chown(theirs / "multirun.yaml", OTHER, -1)
    with pytest.raises(UserError, match="trust=yes uses it"):
        expanded([f"resume={theirs}"])


def test_edges_of_another_user_count_only_where_they_are_trusted(run, tmp_path):
    assert run(f"output_dir={tmp_path}/first").returncode == 0
    edges = tmp_path / "first" / "buckets.json"
    os.chown(edges, OTHER, -1)
    done = run(f"bucketer.edges={edges}")
    assert done.returncode == 1
    assert f"uid {OTHER}" in done.stderr
    assert run(f"bucketer.edges={edges}", "trust=yes").returncode == 0
