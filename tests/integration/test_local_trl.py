"""`trainer=local` is TRL's GRPOTrainer: the gradient of a step, and the curve of a training."""

import pytest

pytest.importorskip("trl", reason="trl is not installed; CI has an environment with it")

import torch
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

from curriculum.demo.small_model import EOS
from curriculum.trainers.parts.llama import Llama
from curriculum.trainers.parts.policy import NOTHING, Policy, advantages_of, lengths

LIMIT = 6


class Recorder(trl.GRPOTrainer):
    """Keeps what a step was made of."""

    def _generate_and_score_completions(self, inputs):
        self.made = super()._generate_and_score_completions(inputs)
        return self.made


class Gradient(TrainerCallback):
    """Keeps the gradient, clipped as it is."""

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        self.of = {name: each.grad.clone() for name, each in model.named_parameters()}


def score(text):
    """Some groups mixed, some not: by the first letter."""
    return float(text[:1] in "abcdefghijk")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:transformers")
def test_the_gradient_of_a_step_is_that_of_trl(model, tmp_path):
    config = trl.GRPOConfig(
        output_dir=str(tmp_path),
        max_steps=1,
        per_device_train_batch_size=24,
        num_generations=4,
        max_completion_length=LIMIT,
        use_cpu=True,
        bf16=False,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        seed=0,
    )
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    gradient = Gradient()
    trainer = Recorder(
        AutoModelForCausalLM.from_pretrained(model),
        lambda completions, **_: [score(text) for text in completions],
        config,
        Dataset.from_list([{"prompt": "ab" * n} for n in range(1, 7)]),
        processing_class=tokenizer,
        callbacks=[gradient],
    )
    trainer.train()

    made, own = trainer.made, Policy(Llama(model), [EOS], 1.0)
    prompts = [
        row[there.bool()].tolist()
        for row, there in zip(made["prompt_ids"], made["prompt_mask"], strict=True)
    ]
    answered = made["completion_mask"].bool()
    responses = torch.where(answered, made["completion_ids"], NOTHING)
    texts = tokenizer.batch_decode(made["completion_ids"], skip_special_tokens=True)
    rewards = torch.tensor([score(text) for text in texts])
    advantages = advantages_of(rewards.view(-1, 4)).flatten()
    assert torch.allclose(advantages, made["advantages"])
    mixed = advantages != 0
    assert 0 < mixed.sum() < len(mixed), "some group has no gradient, and is left out"
    some = [prompt for prompt, there in zip(prompts, mixed, strict=True) if there]
    tokens = float(lengths(responses).sum())
    own.loss(some, responses[mixed], advantages[mixed], tokens).backward()
    torch.nn.utils.clip_grad_norm_(own.model.parameters(), 1.0)
    for name, expected in gradient.of.items():
        found = own.model.weight(name.removesuffix(".weight")).grad
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-6), name
