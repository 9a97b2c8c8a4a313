"""A small model as a policy: what it answers, and the gradient of what its answers earned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from curriculum.trainers.parts.llama import HIDDEN, Cache, Llama

AT_ONCE = 256  # rollouts
NOTHING = -1  # in the place of a token, behind the end of a response
ADVANTAGE_EPSILON = 1e-4  # TRL's


class Padded(NamedTuple):
    """Sequences of tokens, padded on the left."""

    ids: Tensor  # (N, longest)
    there: Tensor  # (N, longest) 1.0 where a token is, 0.0 where there is none


def padded(sequences: Sequence[Sequence[int]]) -> Padded:
    """All of them, as long as the longest."""
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    there = torch.zeros(len(sequences), longest)
    for row, sequence in enumerate(sequences):
        ids[row, longest - len(sequence) :] = torch.tensor(sequence)
        there[row, longest - len(sequence) :] = 1.0
    return Padded(ids, there)


class Policy:
    """Samples responses, and learns from their advantages."""

    def __init__(self, model: Llama, end: Sequence[int], temperature: float) -> None:
        """`end`: the tokens that end a response."""
        self.model, self._end, self._temperature = model, torch.tensor(end), temperature

    def respond(
        self, prompts: Sequence[Sequence[int]], samples: int, limit: int, rng: torch.Generator
    ) -> Tensor:
        """(prompts, samples, limit) tokens, and NOTHING behind the end of each."""
        responses = torch.full((len(prompts), samples, limit), NOTHING)
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        size = max(1, AT_ONCE // samples)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            some = padded([prompts[row] for row in rows])
            with torch.no_grad():
                responses[torch.tensor(rows)] = self._sampled(some, samples, limit, rng)
        return responses

    def _sampled(self, prompts: Padded, samples: int, limit: int, rng: torch.Generator) -> Tensor:
        logits, cache = self._read(prompts, samples, limit)
        there = prompts.there.repeat_interleave(samples, 0)
        hidden = F.pad((1 - there) * HIDDEN, (0, limit))[:, None, None]
        position = there.sum(1, keepdim=True).long()
        rows, longest = there.shape
        tokens = torch.full((rows, limit), NOTHING)
        done = torch.zeros(rows, dtype=torch.bool)
        for step in range(limit):
            chances = torch.softmax(logits / self._temperature, -1)
            token = torch.multinomial(chances, 1, generator=rng).squeeze(1)
            tokens[:, step] = torch.where(done, NOTHING, token)
            done |= torch.isin(token, self._end)
            if step == limit - 1 or bool(done.all()):
                break
            mask = hidden[..., : longest + step + 1]
            logits = self.model(token[:, None], position + step, mask, cache)[:, -1]
        return tokens.view(-1, samples, limit)

    def _read(self, prompts: Padded, samples: int, room: int) -> tuple[Tensor, list[Cache]]:
        """Logits and cache behind each prompt, for each of its samples; a prompt is read once."""
        rows, longest = prompts.ids.shape
        once = self.model.new_cache(rows, longest)
        positions = (prompts.there.cumsum(1) - 1).clamp(min=0).long()
        logits = self.model(prompts.ids, positions, _causal(prompts.there), once, last=1)[:, -1]
        cache = self.model.new_cache(rows * samples, longest + room)
        for of_all, of_one in zip(cache, once, strict=True):
            of_all.keys[:, :, :longest] = of_one.keys.repeat_interleave(samples, 0)
            of_all.values[:, :, :longest] = of_one.values.repeat_interleave(samples, 0)
        return logits.repeat_interleave(samples, 0), cache

    def loss(
        self, prompts: Sequence[Sequence[int]], responses: Tensor, advantages: Tensor, tokens: float
    ) -> Tensor:
        """GRPO's, on policy: minus the sum of advantage times log probability of each token.

        On policy the ratio of probabilities is 1, so nothing is clipped, and its gradient is that
        of the log probability. Source: TRL's GRPOTrainer with loss_type="dapo", the default, which
        divides by the tokens of the whole batch (DAPO, arXiv 2503.14476), and beta=0.

        Args:
            prompts: of R rollouts.
            responses: (R, limit) tokens.
            advantages: (R,).
            tokens: of all responses of the batch, also those that are not here.
        """
        given = padded(prompts)
        longest = int(lengths(responses).max())
        responses = responses[:, :longest]
        there = (responses != NOTHING).float()
        ids = torch.cat([given.ids, responses.clamp(min=0)], 1)[:, :-1]
        seen = torch.cat([given.there, there], 1)[:, :-1]
        positions = (seen.cumsum(1) - 1).clamp(min=0).long()
        logits = self.model(ids, positions, _causal(seen), last=longest) / self._temperature
        negative = F.cross_entropy(
            logits.flatten(0, 1), responses.flatten(), ignore_index=NOTHING, reduction="none"
        )
        return (advantages[:, None] * negative.view_as(there)).sum() / tokens


def lengths(responses: Tensor) -> Tensor:
    """Tokens of each response, its end included."""
    return (responses != NOTHING).sum(-1)


def advantages_of(rewards: Tensor) -> Tensor:
    """(groups, G) how much better than its group each did, in its standard deviations.

    NaN, a rollout without a reward, is in no mean and has an advantage of 0. Source: TRL's
    GRPOTrainer with scale_rewards="group", the default.
    """
    known = ~rewards.isnan()
    count = known.sum(1, keepdim=True)
    mean = rewards.nansum(1, keepdim=True) / count.clamp(min=1)
    away = torch.where(known, rewards - mean, 0.0)
    deviation = (away.square().sum(1, keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    return away / (deviation + ADVANTAGE_EPSILON)


def _causal(there: Tensor) -> Tensor:
    """(N, 1, T, T) added to the attention: nothing ahead is seen, and no padding."""
    length = there.shape[1]
    ahead = torch.full((length, length), HIDDEN).triu(1)
    return ahead + ((1 - there) * HIDDEN)[:, None, None]
