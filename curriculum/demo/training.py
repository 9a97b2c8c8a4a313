"""Supervised training of the small model on the answers of its tasks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol

from curriculum.demo.small_model import EOS, PAD

LEARNING_RATE = 3e-3
IGNORED = -100  # cross entropy leaves out tokens of this label
LOG_EVERY = 500


class Asked(Protocol):
    """A problem and its answer."""

    @property
    def prompt(self) -> str: ...

    @property
    def answer(self) -> str: ...


class Phase(NamedTuple):
    """How long, in what batches, and over how many steps the learning rate rises."""

    steps: int = 2000
    batch_size: int = 128
    warmup_steps: int = 100


logger = logging.getLogger(__name__)


def train(model: Any, tokenizer: Any, problems: Iterator[Asked], phase: Phase) -> None:
    """Fit the model in place to so many batches of problems."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.01, betas=(0.9, 0.98)
    )
    factor = partial(_learning_rate_factor, phase=phase)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    model.train()
    for step in range(1, phase.steps + 1):
        loss = _answer_loss(model, *_batch(tokenizer, list(islice(problems, phase.batch_size))))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % LOG_EVERY == 0:
            logger.info("step %d of %d, loss %.3f", step, phase.steps, loss.item())


def _learning_rate_factor(step: int, phase: Phase) -> float:
    return min(1.0, (step + 1) / phase.warmup_steps) * max(0.05, 1.0 - step / phase.steps)


def _answer_loss(model: Any, ids: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    logits = model(input_ids=ids).logits[:, :-1]
    return cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)


def _batch(tokenizer: Any, problems: Sequence[Asked]) -> tuple[Any, Any]:
    """Token ids and labels, both (problems, longest), padded on the right."""
    import torch

    prompts = tokenizer([problem.prompt for problem in problems]).input_ids
    answers = tokenizer([problem.answer for problem in problems]).input_ids
    pairs = [(prompt, [*answer, EOS]) for prompt, answer in zip(prompts, answers, strict=True)]
    longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.full((len(pairs), longest), PAD)
    labels = torch.full((len(pairs), longest), IGNORED)
    for row, (prompt, answer) in enumerate(pairs):
        start, end = len(prompt), len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, start:end] = torch.tensor(answer)
    return ids, labels
