"""`trainer=local`: its model's logits, its loss, and a run that is killed and goes on."""

import numpy as np
import pytest

pytest.importorskip("transformers", reason="transformers is not installed; CI has it elsewhere")

import torch

from curriculum.demo.small_model import BOS, EOS
from curriculum.trainers.parts.llama import Llama
from curriculum.trainers.parts.policy import NOTHING, Policy, advantages_of, lengths

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13]]
LIMIT = 6


@pytest.fixture
def policy(model):
    return Policy(Llama(model), [EOS], 1.0)


@pytest.fixture
def reference(model):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model)


def log_probabilities(reference, prompt, response):
    """Of each token of a response behind its prompt, by transformers."""
    ids = torch.tensor([[*prompt, *response]])
    logits = reference(input_ids=ids).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits, -1)[range(len(response)), response]


def test_responses_are_as_likely_as_transformers_says(policy, reference):
    rng = torch.Generator().manual_seed(0)
    responses = policy.respond(PROMPTS, 3000, LIMIT, rng)
    assert responses.shape == (3, 3000, LIMIT)
    for prompt, own in zip(PROMPTS, responses, strict=True):
        expected = torch.softmax(reference(input_ids=torch.tensor([prompt])).logits[0, -1], -1)
        found = torch.bincount(own[:, 0], minlength=len(expected)) / len(own)
        assert (found - expected).abs().max() < 4 * (0.25 / 3000) ** 0.5
        second = own[own[:, 0] == own[0, 0]]
        after = torch.tensor([[*prompt, int(own[0, 0])]])
        expected = torch.softmax(reference(input_ids=after).logits[0, -1], -1)
        found = torch.bincount(second[:, 1].clamp(min=0), minlength=len(expected)) / len(second)
        assert (found - expected).abs().max() < 4 * (0.25 / len(second)) ** 0.5


def test_nothing_is_behind_the_end_of_a_response(policy):
    responses = policy.respond(PROMPTS, 400, LIMIT, torch.Generator().manual_seed(0)).flatten(0, 1)
    ended = (responses == EOS).any(1)
    assert ended.any() and not ended.all()
    for response, length in zip(responses.tolist(), lengths(responses).tolist(), strict=True):
        assert response[length:] == [NOTHING] * (LIMIT - length)
        assert NOTHING not in response[:length] and EOS not in response[: length - 1]


def test_the_loss_is_the_advantage_weighted_log_probability(policy, reference):
    responses = policy.respond(PROMPTS, 1, LIMIT, torch.Generator().manual_seed(1)).squeeze(1)
    advantages = torch.tensor([1.5, -0.5, 0.25])
    loss = policy.loss(PROMPTS, responses, advantages, 40.0)
    own = [row[:n] for row, n in zip(responses.tolist(), lengths(responses).tolist(), strict=True)]
    expected = (
        -sum(
            advantage * log_probabilities(reference, prompt, response).sum()
            for advantage, prompt, response in zip(advantages, PROMPTS, own, strict=True)
        )
        / 40
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_advantages_are_in_deviations_of_the_group():
    rewards = torch.tensor([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1.0, np.nan, 0.0, np.nan]])
    found = advantages_of(rewards)
    assert found[0].tolist() == pytest.approx([-0.866, 0.866, 0.866, -0.866], abs=1e-3)
    assert found[1].tolist() == [0, 0, 0, 0]
    assert found[2].tolist() == pytest.approx([0.707, 0, -0.707, 0], abs=1e-3)


def test_a_checkpoint_is_saved_as_it_was_read(policy, model, reference, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with torch.no_grad():
        policy.model.weight("model.norm").mul_(2)
    policy.model.save_pretrained(tmp_path / "saved")
    saved = AutoModelForCausalLM.from_pretrained(tmp_path / "saved").state_dict()
    for name, weights in reference.state_dict().items():
        twice = 2 if name == "model.norm.weight" else 1
        assert torch.equal(saved[name], twice * weights)
    assert AutoTokenizer.from_pretrained(tmp_path / "saved").bos_token_id == BOS
