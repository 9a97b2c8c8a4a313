"""Dumps of slime's rollouts, as torch saves them."""

import subprocess
import sys

import pytest

from curriculum.core.errors import UserError
from curriculum.data import Rollouts

torch = pytest.importorskip("torch", reason="torch is not installed; CI has it elsewhere")


def sample(index, status="completed", reward=1.0):
    """Of slime's Sample.to_dict."""
    return {
        "group_index": index // 2,
        "index": index,
        "prompt": f"{index // 2} + 1?",
        "tokens": [1, 2],
        "response": str(index),
        "response_length": 1,
        "label": "7",
        "reward": reward,
        "loss_mask": None,
        "status": status,
        "metadata": {"level": 3},
    }


def dump(path, *samples, rollout_id=4):
    torch.save({"rollout_id": rollout_id, "samples": list(samples)}, path)
    return str(path)


def test_samples_are_rollouts_of_the_step_that_the_file_is_of(tmp_path):
    samples = [sample(0), sample(1, reward=0.0), sample(2, "truncated", 0.0), sample(3, "aborted")]
    loaded = Rollouts(dump(tmp_path / "rollout_4.pt", *samples)).load()
    assert loaded.rollouts is not None
    assert loaded.rollouts["problem"].to_pylist() == [0, 0, 1, -1]  # aborted: no wrong answer
    assert loaded.rollouts["reward"].to_pylist()[:3] == [1.0, 0.0, 0.0]
    assert loaded.rollouts["finish_reason"].to_pylist()[:3] == ["stop", "stop", "length"]
    assert loaded.problems.samples([0])[0].ground_truth == "7"


def test_dumps_of_several_steps_are_of_several_policies(tmp_path):
    paths = [
        dump(tmp_path / f"{step}.pt", sample(0), sample(1), rollout_id=step) for step in (1, 2)
    ]
    with pytest.raises(UserError, match=r"data\.step"):
        Rollouts(paths).load()
    loaded = Rollouts(paths, step=2).load()
    assert loaded.rollouts is not None
    assert loaded.rollouts["problem"].to_pylist() == [-1, -1, 0, 0]


class Malicious:
    def __reduce__(self):
        return print, ("executed",)


def test_a_file_with_code_is_refused_and_the_code_not_run(tmp_path, capsys):
    path = tmp_path / "bad.pt"
    torch.save({"samples": [Malicious()]}, path)
    with pytest.raises(UserError, match=r"bad\.pt can't be read"):
        Rollouts(str(path)).load()
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [{"weights": [1]}, [1, 2], {"samples": ["text"]}])
def test_something_else_is_refused(tmp_path, content):
    path = tmp_path / "other.pt"
    torch.save(content, path)
    with pytest.raises(UserError, match="no `samples`"):
        Rollouts(str(path)).load()


def test_a_command_reads_it(tmp_path):
    path = dump(tmp_path / "rollout_4.pt", sample(0), sample(1, reward=0.0))
    command = [sys.executable, "run.py", "data=rollouts", f"data.path={path}"]
    done = subprocess.run(
        [*command, f"output_dir={tmp_path}/out", f"store_dir={tmp_path}/store"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
