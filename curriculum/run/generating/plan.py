"""What is asked of a generator: samples of problems, in batches that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from curriculum.core.records import Asked
from curriculum.generators.base import Batch, Request


def plan(
    prompts: Sequence[Any], ids: Sequence[str], asked: Sequence[Asked], seed: int, batch_size: int
) -> list[Batch]:
    """Batches of at most `batch_size` rollouts, long prompts first: if memory runs out, then early.

    Args:
        prompts, ids: (P,) of the problems.
    """
    length = [len(str(prompt)) for prompt in prompts]
    order = sorted(asked, key=lambda each: (-length[each.problem], each.problem))
    requests = [
        Request(
            problem,
            prompts[problem],
            start,
            min(batch_size, first + samples - start),
            _seed(seed, [(ids[problem], start)]),
        )
        for problem, first, samples in order
        for start in range(first, first + samples, batch_size)
    ]
    return [
        Batch(number, group, _seed(seed, [(ids[each.problem], each.first) for each in group]))
        for number, group in enumerate(_groups(requests, batch_size))
    ]


def _groups(requests: Sequence[Request], size: int) -> Iterator[list[Request]]:
    group: list[Request] = []
    total = 0
    for request in requests:
        if group and total + request.samples > size:
            yield group
            group, total = [], 0
        group.append(request)
        total += request.samples
    if group:
        yield group


def _seed(seed: int, asked: Sequence[tuple[str, int]]) -> int:
    """31 bits, what every engine takes, of the run's seed and what is asked for."""
    digest = hashlib.blake2b(repr((seed, asked)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
