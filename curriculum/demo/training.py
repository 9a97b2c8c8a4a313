"""Supervised training of the small model on the answers of its tasks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from curriculum.data.parts.demo_problems import Problem
from curriculum.demo.small_model import EOS, PAD

STEPS = 2000
BATCH_SIZE = 128
WARMUP_STEPS = 100
LEARNING_RATE = 3e-3
IGNORED = -100  # cross entropy leaves out tokens of this label
LOG_EVERY = 500

logger = logging.getLogger(__name__)


def train(model: Any, tokenizer: Any, problems: Iterator[Problem]) -> None:
    """Fit the model in place to STEPS batches of problems."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.01, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _learning_rate_factor)
    model.train()
    for step in range(1, STEPS + 1):
        loss = _answer_loss(model, *_batch(tokenizer, list(islice(problems, BATCH_SIZE))))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % LOG_EVERY == 0:
            logger.info("step %d of %d, loss %.3f", step, STEPS, loss.item())


def _learning_rate_factor(step: int) -> float:
    return min(1.0, (step + 1) / WARMUP_STEPS) * max(0.05, 1.0 - step / STEPS)


def _answer_loss(model: Any, ids: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    logits = model(input_ids=ids).logits[:, :-1]
    return cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)


def _batch(tokenizer: Any, problems: Sequence[Problem]) -> tuple[Any, Any]:
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
