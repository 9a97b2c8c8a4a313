"""`python run.py trainer=trl` or `local`: a very small model trained, measured, killed, resumed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

pytest.importorskip("transformers", reason="transformers is not installed; CI has it elsewhere")
pytest.importorskip("reasoning_gym", reason="reasoning-gym is not installed")

from curriculum.config.conf import conf_dir

PROJECT = conf_dir().parent
STEPS, BATCH, GROUP = 6, 4, 4
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info):
    return float(solution_str[:1].isdigit())
"""


WORDS = {"trl": "Trained with TRL", "local": "Trained here"}


@pytest.fixture(params=["trl", "local"])
def trainer(request):
    """The option; tests with TRL want it installed."""
    if request.param == "trl":
        pytest.importorskip("trl", reason="trl is not installed; CI has an environment with it")
    return request.param


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder with a reward and the store of all runs."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "reward.py").write_text(REWARD)
    return folder


@pytest.fixture
def command(model, shared, tmp_path):
    """What to call for a trainer, some more overrides, and a folder's name."""

    def command(trainer, *overrides, name="run"):
        return [
            *(sys.executable, "run.py", f"trainer={trainer}"),
            *("data=reasoning_gym", "data.tasks={gcd: null}", "data.size=40"),
            *("reward=function", f"reward.path={shared}/reward.py", "reward.workers=1"),
            *("generator=transformers", "num_samples=4", "generator.max_new_tokens=4"),
            *(f"model.path={model}", f"trainer.steps={STEPS}", f"trainer.batch_size={BATCH}"),
            *(f"trainer.group_size={GROUP}", "trainer.max_new_tokens=4"),
            *("trainer.learning_rate=1e-2", "trainer.save_every=2", "trainer.eval_every=3"),
            *(f"output_dir={tmp_path / name}", f"store_dir={shared}/store", *overrides),
        ]

    return command


@pytest.fixture
def start(trainer, command):
    """A process of `run.py trainer=... ...`."""

    def start(*overrides, name="run"):
        return subprocess.Popen(
            command(trainer, *overrides, name=name),
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.fixture
def run(start):
    """What one prints; it must end well unless told."""

    def run(*overrides, name="run", code=0):
        process = start(*overrides, name=name)
        said, _ = process.communicate()
        assert process.returncode == code, said
        return said

    return run


def parameters(folder):
    """Of the model after the last step."""
    places = ("trl/checkpoint-6/model.safetensors", "local/model/model.safetensors")
    found = [folder / place for place in places if (folder / place).exists()]
    return hashlib.sha256(found[0].read_bytes()).hexdigest()


def test_it_trains_and_goes_on_where_it_was_killed(run, start, trainer, tmp_path):
    said = run(name="whole")
    assert "step 6: held-out pass rate" in said
    assert f"{WORDS[trainer]}: 6 batches of 4 prompts, 4 rollouts each" in said
    whole = pd.read_parquet(tmp_path / "whole" / "metrics.parquet").set_index("step")
    rates = whole["mean_pass_rate"].dropna()
    assert rates.index.tolist() == [0, 3, 6]
    assert whole["rollouts"].tolist() == [each * BATCH * GROUP for each in range(STEPS + 1)]
    assert (whole["sampler/groups"].iloc[1:] == BATCH).all()
    assert not whole.filter(like="held_out/bucket/").dropna(how="all").empty
    assert not whole.filter(like="held_out/source/").dropna(how="all").empty
    result = json.loads((tmp_path / "whole" / "result.json").read_text())
    arm = result["training"]["arms"]["frontier"]
    assert (arm["pass_rate_before"], arm["pass_rate_after"]) == (rates.iloc[0], rates.iloc[-1])
    assert arm["rollouts"] == STEPS * BATCH * GROUP
    prompts = pd.read_parquet(tmp_path / "whole" / "prompts.parquet")
    held_out = (~prompts["trained"]).sum()
    assert held_out == round(0.1 * len(prompts)) > 0
    assert arm["prompts"] == len(prompts) - held_out
    assert arm["mean_draws"] == pytest.approx(STEPS * BATCH / arm["prompts"])

    killed = start(name="killed")
    journal = tmp_path / "killed" / trainer / "checkpoint-2" / "journal.json"
    end = time.monotonic() + 120
    while not journal.exists():
        assert killed.poll() is None and time.monotonic() < end, killed.communicate()
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert "going on from" in run(name="killed")
    resumed = pd.read_parquet(tmp_path / "killed" / "metrics.parquet").set_index("step")
    told = [name for name in whole if name not in ("trl/step_time",)]
    pd.testing.assert_frame_equal(resumed[told], whole[told])
    assert parameters(tmp_path / "killed") == parameters(tmp_path / "whole")

    run(name="killed")
    assert parameters(tmp_path / "killed") == parameters(tmp_path / "whole"), "nothing was left"

    said = run("trainer.steps=4", name="killed", code=1)
    assert "trainer.steps=4" in said and "further already" in said
    said = run("trainer.learning_rate=1e-3", "overwrite=true", name="whole", code=1)
    assert "has checkpoints of a training with other settings" in said


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("trainer.args={num_iterations: 2}", "trainer.args.num_iterations is set by the run"),
        ("trainer.args={temperature: 2}", "trainer.args.temperature is set by the run"),
        ("trainer.micro_batch=3", "trainer.micro_batch=3: no part of the 16 of a batch"),
        ("export.val_fraction=0", "no problem is held out to measure on"),
    ],
)
@pytest.mark.parametrize("trainer", ["trl"], indirect=True)
def test_what_would_make_numbers_wrong_is_refused(run, override, told):
    assert told in run(override, code=1)


def test_nothing_need_be_measured(run, trainer, tmp_path):
    said = run("budget=none", "sampler=frontier", "trainer.targets=[0.01]")
    assert WORDS[trainer] in said
    steps = pd.read_parquet(tmp_path / "run" / "metrics.parquet").set_index("step")
    assert (steps["measured_rollouts"] == 0).all()
    assert steps["total_rollouts"].tolist() == steps["rollouts"].tolist()
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    (arm,) = result["training"]["arms"].values()
    (target,) = arm["rollouts_to"]
    assert 0 <= target["rollouts"] <= STEPS * BATCH * GROUP
    prompts = pd.read_parquet(tmp_path / "run" / "prompts.parquet")
    assert (prompts["n"] == 0).all() and set(prompts["bucket"]) == {"unmeasured"}
    assert (~prompts["trained"]).sum() == 4


@pytest.mark.parametrize("trainer", ["local"], indirect=True)
def test_other_models_are_refused(run, tmp_path, model):
    config = json.loads((model / "config.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps(config | {"model_type": "qwen2"}))
    said = run("budget=none", f"model.path={other}", code=1)
    assert "no model.safetensors: trainer=trl trains any" in said and "model_type=qwen2" in said


@pytest.mark.parametrize("trainer", ["local"], indirect=True)
def test_a_sweep_ends_in_a_comparison_on_what_is_held_out(run, tmp_path):
    said = run("sampler=uniform,thompson", "seed=1,2", "-m", name="sweep")
    assert "mean pass rate of 4 problems held out, 4 rollouts each" in said
    assert "uniform (control)" in said
    found = json.loads((tmp_path / "sweep" / "comparison.json").read_text())
    (setting,) = found["curricula"]
    assert {arm["seeds"] for arm in setting["arms"]} == {2}
    assert setting["rollouts"] == STEPS * BATCH * GROUP


@pytest.mark.slow
def test_a_small_model_learns_here_as_it_does_with_trl(command, tmp_path):
    """The same curve within what seeds differ: other random numbers, the same expectation."""
    pytest.importorskip("trl", reason="trl is not installed; CI has an environment with it")
    longer = (
        "data.size=160",
        "trainer.steps=24",
        "trainer.learning_rate=2e-3",
        "trainer.eval_every=8",
    )
    curves = {}
    for trainer in ("trl", "local"):
        seeds = ("sampler=uniform", "seed=1,2,3,4,5", "-m")
        sweep = command(trainer, *longer, *seeds, name=trainer)
        done = subprocess.run(sweep, cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        tables = [
            pd.read_parquet(tmp_path / trainer / f"{job}/metrics.parquet") for job in range(5)
        ]
        curves[trainer] = np.array([table["mean_pass_rate"].dropna() for table in tables])
    trl, local = curves["trl"], curves["local"]
    for rates in (trl, local):
        assert (rates[:, -1] - rates[:, 0] > 0.25).all(), rates
    interval = ttest_ind(local, trl, equal_var=False).confidence_interval(0.99)
    assert ((interval.low < 0) & (interval.high > 0)).all(), curves
