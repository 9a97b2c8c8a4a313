"""How a model in training does on problems that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import Floats, Integers, Sample
from curriculum.integrations.chats import token_ids
from curriculum.trainers.base import Tasks
from curriculum.trainers.parts.journal import RATE

# Texts, (problems, samples), of what each of some problems asks.
Respond = Callable[[Sequence[Sample], int], list[list[str]]]

AT_ONCE = 256  # rollouts


def measure(
    respond: Respond, tasks: Tasks, problems: tuple[Prompts, Sequence[Sample]], samples: int
) -> dict[str, float]:
    """Pass rates in all, by bucket, source and level.

    Args:
        respond: see `Respond`.
        problems: those held out, and what each asks.
        samples: rollouts of each; one without a reward is in no rate.

    Raises:
        UserError: where not one rollout has a reward.
    """
    prompts, asked = problems
    rollouts = [
        each._replace(response=text)
        for each, texts in zip(asked, respond(asked, samples), strict=True)
        for text in texts
    ]
    rewards = np.array(tasks.score(rollouts), np.float64).reshape(len(asked), samples)
    answered = np.isfinite(rewards)
    if not answered.any():
        raise UserError("not one response to the problems held out has a reward: see the log")
    rate = np.full(len(asked), np.nan)
    np.divide(tasks.passes(rewards).sum(1), answered.sum(1), out=rate, where=answered.any(1))
    return {RATE: float(np.nanmean(rate)), **_by_group(prompts, rate)}


def told(step: int, found: Mapping[str, float]) -> str:
    """A line for the log."""
    start = "held_out/bucket/"
    buckets = [
        f"{name.removeprefix(start)} {rate:.3f}"
        for name, rate in found.items()
        if name.startswith(start)
    ]
    return f"step {step}: held-out pass rate {found[RATE]:.3f} ({', '.join(buckets)})"


def responses_of(
    model: Any, tokenizer: Any, asked: Sequence[Sample], samples: int, sampling: Any, seed: int
) -> list[list[str]]:
    """What a model of transformers says; the training's random numbers stay as they are.

    Args:
        sampling: the GenerationConfig of the training's own rollouts.
    """
    import torch

    was_training = model.training
    model.eval()
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        responses = _responses(model, tokenizer, asked, samples, sampling)
    model.train(was_training)
    return responses


def _responses(
    model: Any, tokenizer: Any, asked: Sequence[Sample], samples: int, sampling: Any
) -> list[list[str]]:
    """Texts, (problems, samples); those of about one length together, so that little is padded."""
    sampling = deepcopy(sampling)
    sampling.num_return_sequences = samples
    ids = token_ids(tokenizer, [each.prompt for each in asked])
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
    """Means over the problems of each bucket, source and level that is there."""
    known = np.isfinite(rate)
    return {
        f"held_out/{kind}/{name}": float(rate[known & (of == i)].mean())
        for kind, of, names in (*prompts.groupings, *_levels(prompts))
        for i, name in enumerate(names)
        if (known & (of == i)).any()
    }


def _levels(prompts: Prompts) -> Iterator[tuple[str, Integers, list[str]]]:
    """Of `extra_info.level`, and of it within each source, where every problem has one."""
    try:
        levels = prompts.extra("level", np.arange(len(prompts)))
    except UserError:
        return
    values, level = np.unique(levels, return_inverse=True)
    names = [f"{value:g}" for value in values]
    yield "level", level, names
    if len(prompts.sources) > 1:
        cells = [f"{source}/{name}" for source in prompts.sources for name in names]
        yield "source_level", prompts.source * len(names) + level, cells
