"""`python run.py -cd sweeps -cn proof`: very small models trained for real, and compared."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("transformers", reason="transformers is not installed; CI has it elsewhere")
pytest.importorskip("reasoning_gym", reason="reasoning-gym is not installed")
pytest.importorskip("trl", reason="once is enough: in the environment that has TRL")

from curriculum.config.conf import conf_dir

COMMAND = "run.py -cd sweeps -cn proof proof.setting=D seed=0,1"


def test_a_setting_is_trained_and_compared(tmp_path):
    """As the docs have it, but for fewer steps and samplers."""
    shorter = ["trainer.steps=8", "trainer.eval_every=4", "trainer.targets=[0.01,0.99]"]
    shorter.append("sampler=uniform,frontier")
    own = [f"output_dir={tmp_path / 'out'}", f"store_dir={tmp_path / 'store'}"]
    command = [sys.executable, *COMMAND.split(), *shorter, *own]
    done = subprocess.run(command, cwd=conf_dir().parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert {run["status"] for run in found["runs"]} == {"completed"}
    (setting,) = found["curricula"]
    assert setting["label"] == "mean pass rate of 480 problems held out, 2 rollouts each"
    assert setting["rollouts"] == 8 * 8 * 8
    arms = {arm["arm"]: arm for arm in setting["arms"]}
    assert next(iter(arms)) == "uniform"
    assert {arm["seeds"] for arm in arms.values()} == {2}
    for name, arm in arms.items():
        measured = 11_200 if name.endswith("budget=fixed") else 0
        assert arm["measured_rollouts"] == measured
        low, high = arm["targets"]
        assert (low["reached"], low["rollouts"]) == (2, 0)
        assert (high["reached"], high["rollouts"]) == (0, None)
    said = " ".join(done.stdout.split())
    assert "Rollouts until a held-out pass rate, the control's being 1" in said
    assert "with 11,200 measured" in said
    assert (tmp_path / "out" / "comparison.png").exists()
