"""What is asked of a generator: every sample of every problem, in batches that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from curriculum.generators.base import Batch, Generation, Request


def plan(
    prompts: Sequence[Any], ids: Sequence[str], generation: Generation, batch_size: int
) -> list[Batch]:
    """Batches of at most `batch_size` rollouts, long prompts first: if memory runs out, then early.

    Args:
        prompts, ids: (P,) of the problems.
    """
    samples = generation.num_samples
    length = [len(str(prompt)) for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda row: (-length[row], row))
    requests = [
        Request(row, prompts[row], first, min(batch_size, samples - first))
        for row in order
        for first in range(0, samples, batch_size)
    ]
    return [
        Batch(
            number,
            group,
            _seed(generation.seed, [(ids[each.problem], each.first) for each in group]),
        )
        for number, group in enumerate(_groups(requests, batch_size))
    ]


def _groups(requests: Sequence[Request], size: int) -> Iterator[list[Request]]:
    group: list[Request] = []
    for request in requests:
        if group and sum(each.samples for each in group) + request.samples > size:
            yield group
            group = []
        group.append(request)
    if group:
        yield group


def _seed(seed: int, asked: Sequence[tuple[str, int]]) -> int:
    """31 bits, what every engine takes, of the run's seed and what is asked for."""
    digest = hashlib.blake2b(repr((seed, asked)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
