"""TRL's trainer with a curriculum: a very small model, trained for real and stopped anywhere."""

import hashlib
import json
import os
import subprocess
import sys
from types import MethodType

import numpy as np
import pytest

pytest.importorskip("trl", reason="trl is not installed; CI has an environment with it")

from curriculum.core.errors import UserError
from curriculum.integrations import trl
from curriculum.integrations.trl import CurriculumMixin, reward_function
from curriculum.rewards import ExactMatch
from curriculum.samplers import Curriculum, Guards
from curriculum.samplers.names import BUILT_IN
from curriculum.testing import make_prompts

pytestmark = pytest.mark.filterwarnings("ignore")  # of what trl imports

PROMPTS, BATCH, GROUP = 20, 4, 4


def make(option="thompson", batch_size=BATCH):
    prompts, rng = make_prompts(PROMPTS), np.random.default_rng(0)
    return Curriculum(BUILT_IN[option](), prompts, batch_size, Guards(), rng, GROUP)


def by_chance(completions, **_):
    """1 for a third of all texts."""
    return [float(hashlib.md5(each.encode()).digest()[0] % 3 == 0) for each in completions]


def rows():
    return [{"prompt": f"{i}+1=", "extra_info": {"index": i}} for i in range(PROMPTS)]


@pytest.fixture
def trainer(model, tmp_path):
    """A trainer that keeps what it has drawn."""

    def trainer(option="thompson", folder="whole", steps=6, curriculum=None, data=None, **options):
        from datasets import Dataset
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from trl import GRPOConfig, GRPOTrainer

        class Trainer(CurriculumMixin, GRPOTrainer):
            def _own_part(self, size):
                own = super()._own_part(size)
                draws.append(self.drawn.tolist())
                return own

        draws: list[list[int]] = []
        settings = {
            "per_device_train_batch_size": BATCH * GROUP,
            "num_generations": GROUP,
            "save_steps": 1,
            "max_completion_length": 6,
            "learning_rate": 1e-3,
            "lr_scheduler_type": "constant",
            "use_cpu": True,
            "bf16": False,
            "report_to": [],
            "disable_tqdm": True,
            "seed": 5,
        }
        made = Trainer(
            AutoModelForCausalLM.from_pretrained(model),
            by_chance,
            GRPOConfig(str(tmp_path / folder), max_steps=steps, **(settings | options)),
            train_dataset=Dataset.from_list(rows() if data is None else data),
            processing_class=AutoTokenizer.from_pretrained(model),
            curriculum=make(option) if curriculum is None else curriculum,
        )
        return made, draws

    return trainer


def parameters(trainer):
    parts = [each.detach().numpy().tobytes() for each in trainer.model.parameters()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


FORMS = {
    "plain": {},
    "accumulated": {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2},
    "generated for two steps": {
        "per_device_train_batch_size": 8,
        "steps_per_generation": 2,
        "save_steps": 2,
    },
    "used twice": {"num_iterations": 2, "save_steps": 2},
    "two workers": {"dataloader_num_workers": 2},
}


@pytest.mark.parametrize(
    ("option", "form"),
    [("thompson", form) for form in FORMS]
    + [(option, "plain") for option in sorted(BUILT_IN) if option != "thompson"],
)
def test_a_training_resumes_exactly(trainer, tmp_path, option, form):
    whole, draws = trainer(option, **FORMS[form])
    whole.train()
    every = FORMS[form].get("save_steps", 1)
    for stopped in (2, 4) if form != "plain" or option == "thompson" else (3,):
        resumed, again = trainer(option, f"from {stopped}", **FORMS[form])
        resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / f"checkpoint-{stopped}"))
        assert again == draws[stopped // every :], f"prompts after step {stopped}"
        assert parameters(resumed) == parameters(whole), f"parameters after step {stopped}"
    assert any(each.get("frac_reward_zero_std") for each in whole.state.log_history)


def test_the_curriculum_s_numbers_and_events_are_told(trainer):
    told = []
    curriculum = make("reward_curriculum")
    made, _ = trainer(curriculum=curriculum, steps=2, logging_steps=1)
    made._on_event = lambda step, event: told.append((step, event.kind))
    made._tell(curriculum.started, 0)
    made.train()
    assert (0, "start") in told
    assert all(1 <= step <= 2 for step, kind in told if kind != "start")
    logged = [each for each in made.state.log_history if "sampler/level" in each]
    assert len(logged) == 2 and logged[0]["sampler/level"] == 0
    assert {"sampler/source/s0/weight", "sampler/guards/gave_way"} <= set(logged[0])


def test_what_does_not_fit_is_refused(trainer):
    with pytest.raises(UserError, match="batch_size=4"):
        trainer(per_device_train_batch_size=8)
    with pytest.raises(UserError, match="num_generations=2"):
        trainer(per_device_train_batch_size=8, num_generations=2)
    with pytest.raises(UserError, match="save_steps=1: a multiple of 2"):
        trainer(num_iterations=2)
    with pytest.raises(UserError, match="19 rows"):
        trainer(data=rows()[:19])
    with pytest.raises(UserError, match="in their order"):
        trainer(data=rows()[::-1])


def test_a_checkpoint_within_a_generation_is_said(trainer, caplog):
    made, _ = trainer(num_iterations=2, save_steps=2, steps=3)
    made.train()
    assert "checkpoint-3 lies within a generation" in caplog.text
    assert "checkpoint-2 lies" not in caplog.text


def test_methods_that_moved_stop_the_start(trainer, monkeypatch):
    from trl import GRPOTrainer

    monkeypatch.delattr(GRPOTrainer, "_calculate_rewards")
    with pytest.raises(UserError, match="has no _calculate_rewards any more"):
        trainer()


def test_the_methods_are_where_they_were():
    from trl import GRPOTrainer

    assert all(hasattr(GRPOTrainer, name) for name in trl.OVERRIDDEN)


def test_rewards_for_other_prompts_stop_the_training(trainer):
    made, _ = trainer()
    own = type(made)._own_part
    made._own_part = MethodType(
        lambda self, size: [each | {trl.ROW: 0} for each in own(self, size)], made
    )
    with pytest.raises(UserError, match="other prompts than were drawn"):
        made.train()


def test_a_reward_of_a_run_scores_rows_of_stage_files():
    score = reward_function(ExactMatch())
    chat = [{"role": "assistant", "content": " 4"}]
    truths = [{"style": "rule", "ground_truth": truth} for truth in ("4", "4", "5")]
    given = {"prompts": ["2+2"] * 3, "data_source": ["sums"] * 3, "reward_model": truths}
    assert score(completions=["4 ", chat, "4"], trainer_state=None, **given) == [1.0, 1.0, 0.0]


def test_two_processes_have_one_curriculum(model, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc_per_node=2", __file__, str(model), str(tmp_path)),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first["draws"] == second["draws"]
    assert first["parameters"] == second["parameters"]
    assert first["state"] == second["state"]
    alone = [sorted(set(own)) for own in first["own"]]
    for batch, one, other in zip(first["draws"], alone, second["own"], strict=True):
        assert sorted(batch) == sorted({*one, *other})
        assert not set(one) & set(other)


def train_one_of_two(model, folder):
    """What each of the two processes does."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    class Trainer(CurriculumMixin, GRPOTrainer):
        def _own_part(self, size):
            own = super()._own_part(size)
            draws.append(self.drawn.tolist())
            parts.append([each[trl.ROW] for each in own])
            return own

    draws: list[list[int]] = []
    parts: list[list[int]] = []
    settings = {"use_cpu": True, "bf16": False, "report_to": [], "disable_tqdm": True}
    made = Trainer(
        AutoModelForCausalLM.from_pretrained(model),
        by_chance,
        GRPOConfig(
            f"{folder}/out",
            max_steps=3,
            per_device_train_batch_size=BATCH * GROUP // 2,
            num_generations=GROUP,
            max_completion_length=6,
            save_strategy="no",
            **settings,
        ),
        train_dataset=Dataset.from_list(rows()),
        processing_class=AutoTokenizer.from_pretrained(model),
        curriculum=make(),
    )
    made.train()
    rank = made.accelerator.process_index
    with open(f"{folder}/{rank}.json", "w") as file:
        state = repr(made.curriculum.state_dict())
        found = {"draws": draws, "own": parts, "parameters": parameters(made), "state": state}
        json.dump(found, file)


if __name__ == "__main__":
    train_one_of_two(*sys.argv[1:])
