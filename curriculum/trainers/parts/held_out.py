"""How a model in training does on problems that it is not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Sample
from curriculum.integrations.chats import chat_text
from curriculum.trainers.base import Tasks
from curriculum.trainers.parts.journal import RATE

AT_ONCE = 256  # rollouts


def measure(
    model: Any,
    tokenizer: Any,
    tasks: Tasks,
    problems: tuple[Prompts, Sequence[Sample]],
    samples: int,
    seed: int,
    sampling: Any,
) -> dict[str, float]:
    """Pass rates in all, by bucket and by source; the training's random numbers stay as they are.

    Args:
        problems: those held out, and what each asks.
        samples: rollouts of each; one without a reward is in no rate.
        sampling: the GenerationConfig of the training's own rollouts.

    Raises:
        UserError: where not one rollout has a reward.
    """
    import torch

    prompts, asked = problems
    was_training = model.training
    model.eval()
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        responses = _responses(model, tokenizer, asked, samples, sampling)
    model.train(was_training)
    rollouts = [
        each._replace(response=text)
        for each, texts in zip(asked, responses, strict=True)
        for text in texts
    ]
    rewards = np.array(tasks.score(rollouts), np.float64).reshape(len(asked), samples)
    answered = np.isfinite(rewards)
    if not answered.any():
        raise UserError("not one response to the problems held out has a reward: see the log")
    rate = np.full(len(asked), np.nan)
    np.divide(tasks.passes(rewards).sum(1), answered.sum(1), out=rate, where=answered.any(1))
    return {RATE: float(np.nanmean(rate)), **_by_group(prompts, rate)}


def _responses(
    model: Any, tokenizer: Any, asked: Sequence[Sample], samples: int, sampling: Any
) -> list[list[str]]:
    """Texts, (problems, samples); those of about one length together, so that little is padded."""
    sampling = deepcopy(sampling)
    sampling.num_return_sequences = samples
    special = tokenizer.chat_template is None  # a chat template has the special tokens in it
    texts = [chat_text(tokenizer, each.prompt) for each in asked]
    ids = tokenizer(texts, add_special_tokens=special)["input_ids"]
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    responses: list[list[str]] = [[] for _ in ids]
    size = max(1, AT_ONCE // samples)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        padded = tokenizer.pad(
            {"input_ids": [ids[row] for row in rows]}, return_tensors="pt", padding_side="left"
        ).to(model.device)
        output = model.generate(**padded, generation_config=sampling)
        new = output[:, padded["input_ids"].shape[1] :]
        decoded = tokenizer.batch_decode(new, skip_special_tokens=True)
        for place, row in enumerate(rows):
            responses[row] = decoded[place * samples : (place + 1) * samples]
    return responses


def _by_group(prompts: Prompts, rate: Floats) -> dict[str, float]:
    """Means over the problems of each bucket and source that is there."""
    known = np.isfinite(rate)
    return {
        f"held_out/{kind}/{name}": float(rate[known & (of == i)].mean())
        for kind, of, names in prompts.groupings
        for i, name in enumerate(names)
        if (known & (of == i)).any()
    }
