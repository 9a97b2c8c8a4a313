"""verl 0.9 trains a very small model on a CPU, with prompts that a sampler chooses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("verl.trainer.ppo.v1", reason="a verl from 0.9 on has these trainers")

from curriculum.config.conf import conf_dir

pytestmark = pytest.mark.filterwarnings("ignore")  # of what verl imports

PROJECT = conf_dir().parent
BATCH, GROUP, LIMIT = 4, 4, 500  # prompts, rollouts of each, seconds for a training
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    passed = float(solution_str[:1].isdigit())
    return {"score": 2 * passed - 1, "acc": passed}
"""
ENVIRONMENT = {
    "PYTHONPATH": f"{PROJECT}:{Path(__file__).parent}",
    "VERL_PLATFORM": "cpu",
    "VERL_USE_EXTERNAL_MODULES": "verl_cpu",
    "VERL_ENGINE_DEVICE": "cuda",  # verl's engine for what is no NPU
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "HYDRA_FULL_ERROR": "1",
}
ON_A_CPU = (
    "+actor_rollout_ref.model.override_config.attn_implementation=sdpa",
    "actor_rollout_ref.model.use_remove_padding=False",
    "actor_rollout_ref.model.enable_gradient_checkpointing=False",
    "actor_rollout_ref.actor.strategy=fsdp2",
    "actor_rollout_ref.rollout.name=cpu",
    "actor_rollout_ref.rollout.tensor_model_parallel_size=1",
    "actor_rollout_ref.rollout.agent.num_workers=1",
    "+actor_rollout_ref.rollout.agent.agent_loop_manager_class=verl_cpu.order.Manager",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
    "reward.num_workers=1",
    "trainer.device=cpu",
    "trainer.n_gpus_per_node=1",
    "+ray_kwargs.ray_init.num_gpus=1",
    "ray_kwargs.ray_init.num_cpus=12",
    "+ray_kwargs.ray_init.include_dashboard=False",
)


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """The folder of a run of preset=curriculum, its model and its reward beside the stages."""
    from curriculum.demo.small_model import build_model, build_tokenizer, save_checkpoint

    folder = tmp_path_factory.mktemp("stages")
    made = ["-m", "curriculum.demo", folder / "example"]
    split = ["preset=curriculum", f"data.path={folder}/example/rollouts", f"output_dir={folder}"]
    for arguments in (made, ["run.py", *split, f"store_dir={folder}/store"]):
        subprocess.run([sys.executable, *arguments], cwd=PROJECT, check=True, capture_output=True)
    tokenizer = build_tokenizer()
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    save_checkpoint(build_model(0), tokenizer, folder / "model")
    (folder / "reward.py").write_text(REWARD)
    return folder


def settings_of(stages):
    """verl's, but for files, sizes and the curriculum."""
    return [
        "algorithm.adv_estimator=grpo",
        "data.max_prompt_length=64",
        "data.max_response_length=6",
        f"actor_rollout_ref.model.path={stages}/model",
        f"actor_rollout_ref.actor.ppo_mini_batch_size={BATCH}",
        f"actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu={BATCH * GROUP}",
        "actor_rollout_ref.actor.optim.lr=3e-3",
        f"actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu={BATCH * GROUP}",
        f"reward.custom_reward_function.path={stages}/reward.py",
        "trainer.logger=[console]",
        "trainer.save_freq=3",
        "trainer.test_freq=-1",
        "trainer.val_before_train=False",
        *ON_A_CPU,
    ]


class Process:
    """A training, in a folder of its own."""

    def __init__(self, folder, *arguments, cwd=PROJECT):
        self.folder, self.rollouts = folder, folder / "rollouts"
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env=os.environ | ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                start_new_session=True,
            )

    def kill_after(self, step):
        """Kill it when a checkpoint of that step is there."""
        tracker, end = self.folder / "latest_checkpointed_iteration.txt", time.monotonic() + LIMIT
        while not (tracker.exists() and tracker.read_text() == str(step)):
            assert self.process.poll() is None and time.monotonic() < end, self.said()
            time.sleep(0.1)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def finish(self):
        assert self.process.wait(LIMIT) == 0, self.said()

    def said(self):
        return (self.folder / "log").read_text()

    def drawn(self, step):
        """Texts of prompts and responses."""
        lines = (self.rollouts / f"{step}.jsonl").read_text().splitlines()
        return sorted((row["input"], row["output"]) for row in map(json.loads, lines))

    def numbers(self):
        lines = (self.folder / "curriculum" / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def parameters(self, step):
        import torch

        path = self.folder / f"global_step_{step}" / "actor" / "model_world_size_1_rank_0.pt"
        held = torch.load(path, weights_only=False)
        return {name: getattr(value, "_local_tensor", value) for name, value in held.items()}


def trained_by_verl(stages, folder):
    """Six steps, with verl's own command line."""
    return Process(
        folder,
        *("-m", "verl.trainer.main_ppo", "trainer.v1.trainer_mode=curriculum_sync"),
        *(f"+curriculum.run={stages}", "+curriculum.sampler=thompson"),
        f"data.train_files={stages}/medium_train.parquet",
        f"data.val_files={stages}/medium_val.parquet",
        f"data.train_batch_size={BATCH}",
        f"actor_rollout_ref.rollout.n={GROUP}",
        "trainer.total_training_steps=6",
        f"trainer.default_local_dir={folder}",
        f"trainer.rollout_data_dir={folder}/rollouts",
        *settings_of(stages),
        cwd=folder,
    )


def trained_by_run(stages, folder, *more):
    """Two steps, with this project's."""
    return Process(
        folder,
        *("run.py", "preset=curriculum", f"data.path={stages}/example/rollouts"),
        *("trainer=verl", "sampler=thompson", "sampler.half_life=50"),
        *("trainer.steps=2", f"trainer.batch_size={BATCH}", f"trainer.group_size={GROUP}"),
        "trainer.args=" + json.dumps([*settings_of(stages), *more]),
        *("export.buckets=[medium]", f"output_dir={folder}", f"store_dir={stages}/store"),
    )


def test_a_killed_training_goes_on_as_one_that_never_stopped(stages, tmp_path):
    whole = trained_by_verl(stages, tmp_path / "whole")
    killed = trained_by_verl(stages, tmp_path / "killed")
    killed.kill_after(3)
    whole.finish()
    resumed = trained_by_verl(stages, tmp_path / "killed")
    filtered = trained_by_run(  # beside it, with DAPO's filter
        stages,
        tmp_path / "filtered",
        "++algorithm.filter_groups.enable=True",
        "++algorithm.filter_groups.metric=acc",
    )
    resumed.finish()
    for step in (4, 5, 6):
        assert len(whole.drawn(step)) == BATCH * GROUP
        assert len({prompt for prompt, _ in whole.drawn(step)}) == BATCH
        assert resumed.drawn(step) == whole.drawn(step), step
    before, after = whole.parameters(3), whole.parameters(6)
    assert any((before[name] != after[name]).any() for name in after)
    assert all((value == after[name]).all() for name, value in resumed.parameters(6).items())
    assert resumed.numbers() == whole.numbers()
    assert [each["batch"] for each in whole.numbers()] == [1, 2, 3, 4, 5, 6]
    rewards = [each["sampler/reward"] for each in whole.numbers()]
    assert all(0 <= reward < 1 for reward in rewards), "acc, no score of -1 to 1"
    assert "sampler/reward:" in whole.said(), "among verl's own metrics"

    filtered.finish()
    each = r"filter_groups/(?:evicted|discarded_surplus)_samples:([\d.]+)"
    dropped = re.findall(each, filtered.said())
    steps = pd.read_parquet(filtered.folder / "metrics.parquet")
    told = steps["sampler/groups"].sum()
    assert told == 2 * BATCH + sum(map(float, dropped)) > 2 * BATCH, "of dropped groups too"
    assert steps["groups_with_gradient"][0] < 1
    assert (steps["rollouts"] == steps["sampler/groups"].cumsum() * GROUP).all()
    done = json.loads((filtered.folder / "result.json").read_text())
    assert (done["status"], done["training"]["trainer"]) == ("completed", "verl")
    assert "+curriculum.half_life=50.0" in done["training"]["command"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["trainer.args=['data.train_batch_size=8']"], "trainer.args: data.train_batch_size=8 is"),
        (["export.cumulative=true"], "export.cumulative=false"),
        (["export.val_fraction=0"], "export.val_fraction=0.1"),
    ],
)
def test_what_does_not_fit_is_refused_before_verl_starts(stages, tmp_path, more, told):
    process = Process(
        tmp_path / "refused",
        *("run.py", "preset=curriculum", f"data.path={stages}/example/rollouts", "trainer=verl"),
        *(f"output_dir={tmp_path}/refused", f"store_dir={stages}/store", *more),
    )
    assert process.process.wait(LIMIT) == 1
    assert told in process.said()


def test_keys_that_this_verl_ignores_are_refused(stages):
    from omegaconf import OmegaConf

    from curriculum.core.errors import UserError
    from curriculum.integrations.verl.trainer import CurriculumTrainer

    own = "+data.sampler.class_path=pkg://curriculum.integrations.verl"
    done = subprocess.run(
        [sys.executable, "-m", "verl.trainer.main_ppo", own],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "write trainer.v1.trainer_mode=curriculum_sync" in done.stderr
    with pytest.raises(UserError, match=r"write \+curriculum\.sampler=frontier"):
        CurriculumTrainer(OmegaConf.create({"data": {"sampler": {"reward_threshold": 0.1}}}))
