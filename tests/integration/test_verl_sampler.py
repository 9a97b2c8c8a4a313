"""Samplers in the parts of verl's trainer, up to 0.7.1, that make and use them.

A loop does what `RayPPOTrainer.fit` does with them: a batch, a checkpoint, then `update`.
"""

import json

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

pytest.importorskip("verl", reason="verl is not installed; CI has environments with it")
pytest.importorskip("verl.experimental.dataset.sampler", reason="a verl up to 0.7.1 has samplers")

from curriculum.core.errors import UserError
from curriculum.demo.small_model import build_tokenizer
from tests.integration.verl_loop import BATCH, GROUP, ROWS, Loop, loader_of, make_rows, rollouts

pytestmark = pytest.mark.filterwarnings("ignore")

PATH = "pkg://curriculum.integrations.verl"


@pytest.fixture
def config(tmp_path):
    """verl's configuration with stage files' rows, and keys of data.sampler added to it."""

    def config(name, rows=None, **keys):
        path = tmp_path / "train.parquet"
        pd.DataFrame(make_rows() if rows is None else rows).to_parquet(path)
        return OmegaConf.create(
            {
                "data": {
                    "train_files": str(path),
                    "prompt_key": "prompt",
                    "train_batch_size": BATCH,
                    "seed": 1,
                    "dataloader_num_workers": 0,
                    "max_prompt_length": 64,
                    "filter_overlong_prompts": False,
                    "sampler": {"class_path": PATH, "class_name": name, **keys},
                },
                "actor_rollout_ref": {"rollout": {"n": GROUP}},
                "trainer": {"default_local_dir": str(tmp_path / "checkpoints")},
            }
        )

    return config


class Trainer(Loop):
    """Of verl's own parts, made as its trainer makes them."""

    def __init__(self, config):
        # Here, where warnings of what it imports don't count.
        from verl.trainer.main_ppo import create_rl_dataset, create_rl_sampler

        data = config.data
        self.dataset = create_rl_dataset(data.train_files, data, build_tokenizer(), None)
        self.sampler = create_rl_sampler(data, self.dataset)
        super().__init__(loader_of(self.dataset, sampler=self.sampler), self.sampler.update)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("MultiSourceSampler", {"adaptive_weights": True, "alpha": 0.1, "temperature": 0.3}),
        ("TimeCurriculumSampler", {"complexity_source": "logicif", "complexity_warmup_steps": 5}),
        ("CurriculumMultiSourceSampler", {"initial_complexity_percentile": 30}),
        (
            "RewardCurriculumSampler",
            {
                "complexity_source": "logicif",
                "reward_threshold": 0.125,
                "num_intervals": 10,
                "min_batches_per_level": 2,
                "check_frequency": 1,
            },
        ),
        ("RewardGatedCurriculumSampler", {"source_weights": {"iftrain": 1.0, "logicif": 1.0}}),
        ("ThompsonSampler", {"half_life": 5}),
        ("UniformSampler", {"floor": 0.1}),
    ],
)
def test_a_training_goes_on_from_every_checkpoint(config, name, keys):
    whole = Trainer(config(name, **keys))
    whole.fit(14)
    assert len(whole.loader) == ROWS // BATCH == 6
    assert all(len(set(batch)) == BATCH for batch in whole.seen)
    for stopped in (0, 4, 5, 6, 9):
        resumed = Trainer(config(name, **keys))
        resumed.loader.load_state_dict(whole.saved[stopped])
        resumed.fit(14, first=stopped + 1)
        assert resumed.seen == whole.seen[stopped + 1 :], f"from step {stopped}"


def test_feedback_that_is_lost_is_said_and_logs_are_cut(config, capsys, tmp_path):
    name, written = "UniformSampler", tmp_path / "checkpoints" / "curriculum" / "metrics.jsonl"
    whole = Trainer(config(name))
    whole.fit(8)
    assert len(written.read_text().splitlines()) == 8
    resumed = Trainer(config(name))
    resumed.loader.load_state_dict(whole.saved[3])
    with written.open("a") as file:
        file.write('{"batch": 9, "lev')  # a kill within a line
    next(iter(resumed.loader))
    assert [json.loads(line)["batch"] for line in written.read_text().splitlines()] == [1, 2, 3, 4]
    assert "it is lost" not in capsys.readouterr().out
    elsewhere = config(name)
    elsewhere.trainer.default_local_dir = str(tmp_path / "elsewhere")
    resumed = Trainer(elsewhere)
    resumed.loader.load_state_dict(whole.saved[3])
    next(iter(resumed.loader))
    assert "the feedback of batch 4 is not at" in capsys.readouterr().out


def test_a_training_that_begins_anew_keeps_no_lines_of_another(config, tmp_path):
    for steps in (5, 2):
        Trainer(config("UniformSampler")).fit(steps)
    written = tmp_path / "checkpoints" / "curriculum" / "metrics.jsonl"
    assert [json.loads(line)["batch"] for line in written.read_text().splitlines()] == [1, 2]


def test_rewards_of_32_bits_are_the_decimals_they_were_made_of(config):
    trainer = Trainer(config("MultiSourceSampler", threshold=0.7))
    infos = next(iter(trainer.loader))["extra_info"]
    batch = rollouts(infos, 0)
    batch.batch["token_level_scores"][:, 2] = 0.7
    trainer.sampler.update(batch)
    assert trainer.sampler.curriculum.metrics()["source/logicif/reward_ema"] == 0.7


def test_the_log_has_the_seed_s_lines(config, capsys, tmp_path):
    keys = {"complexity_source": "logicif", "reward_threshold": 0.125}
    quick = {"min_batches_per_level": 2, "check_frequency": 1}
    Trainer(config("RewardCurriculumSampler", **keys, **quick)).fit(5)
    said = capsys.readouterr().out
    assert "[RewardCurriculumSampler] Complexity source: 'logicif'\n" in said
    assert "[RewardCurriculumSampler] Intervals: 11 (1 initial + 10 progressive)\n" in said
    assert f"{'=' * 80}\n[RewardCurriculumSampler] LEVEL UP! 0 → 1\n" in said
    assert "[RewardCurriculumSampler] Samples: 10 → 12\n" in said  # of 32: 30 %, then 37 %
    folder = tmp_path / "checkpoints" / "curriculum"
    assert '"event": "level_up"' in (folder / "events.jsonl").read_text()
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 5


def test_a_command_line_of_verl_s_makes_the_sampler(config, tmp_path):
    from hydra import compose, initialize_config_module

    written = config("RewardCurriculumSampler").data.train_files
    with initialize_config_module("verl.trainer.config", version_base=None):
        whole = compose(
            "ppo_trainer",
            [
                f"data.train_files={written}",
                f"data.train_batch_size={BATCH}",
                f"trainer.default_local_dir={tmp_path}/checkpoints",
                f"actor_rollout_ref.rollout.n={GROUP}",
                f"data.sampler.class_path={PATH}",
                "data.sampler.class_name=RewardCurriculumSampler",
                "data.dataloader_num_workers=0",
                "+data.sampler.complexity_source=logicif",
                "+data.sampler.initial_complexity_percentile=30",
                "+data.sampler.num_intervals=10",
                "+data.sampler.reward_threshold=0.125",
            ],
        )
    trainer = Trainer(whole)
    trainer.fit(2)
    assert trainer.sampler.curriculum.group_size == GROUP
    assert (tmp_path / "checkpoints" / "curriculum" / "metrics.jsonl").exists()


def test_acc_counts_where_there_is_one(config):
    trainer = Trainer(config("MultiSourceSampler"))
    infos = next(iter(trainer.loader))["extra_info"]
    trainer.sampler.update(rollouts(infos, 0, acc=np.ones(BATCH * GROUP)))
    assert trainer.sampler.curriculum.metrics()["source/logicif/reward_ema"] == 1


def test_rows_without_an_index_are_numbered(config, capsys):
    trainer = Trainer(config("RewardCurriculumSampler", rows=make_rows(index=False)))
    trainer.fit(3)
    assert "rows are numbered" in capsys.readouterr().out
    assert {each for batch in trainer.seen for each in batch} <= set(range(ROWS))


def test_feedback_for_other_prompts_stops_the_training(config):
    trainer = Trainer(config("UniformSampler"))
    infos = [info | {"index": 0} for info in next(iter(trainer.loader))["extra_info"]]
    with pytest.raises(UserError, match="were not drawn"):
        trainer.sampler.update(rollouts(infos, 0))


def test_a_trainer_that_tells_nothing_is_stopped(config):
    trainer = Trainer(config("UniformSampler"))
    with pytest.raises(UserError, match="no reward has come back"):
        for _ in range(4):
            list(trainer.loader)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"reward_treshold": 0.1}, r"data\.sampler\.reward_treshold"),
        ({"reward_alpha": 2}, r"data\.sampler\.reward_alpha=2"),
        ({"complexity_source": "nowhere"}, "'nowhere' is not in the data"),
        ({"run": "/nowhere"}, "is no prompts.parquet"),
    ],
)
def test_mistakes_are_told_with_their_key(config, keys, message):
    with pytest.raises(UserError, match=message):
        Trainer(config("RewardCurriculumSampler", **keys))
