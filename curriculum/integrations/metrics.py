"""Numbers of a training with a curriculum, for a trainer's own log."""

from __future__ import annotations

import numpy as np

from curriculum.core.prompts import Mask, Observations
from curriculum.samplers import Curriculum


def numbers_of(curriculum: Curriculum, observations: Observations) -> dict[str, float]:
    """Of what came back last, in all and by source, and the sampler's own: `sampler/...`.

    `groups` is how many groups of rollouts came back, `groups_with_gradient` the share of them with
    different rewards, `reward` their mean.
    """
    prompts = curriculum.prompts
    source, bucket = prompts.source[observations.prompt], prompts.bucket[observations.prompt]
    numbers = _of(observations, np.ones(len(observations), np.bool_))
    for i, name in enumerate(prompts.sources):
        of_source = _of(observations, source == i)
        numbers |= {f"source/{name}/{what}": value for what, value in of_source.items()}
    for i, name in enumerate(prompts.buckets):
        numbers[f"bucket/{name}/groups"] = float((bucket == i).sum())
    numbers |= curriculum.metrics()
    return {f"sampler/{name}": value for name, value in numbers.items()}


def _of(observations: Observations, which: Mask) -> dict[str, float]:
    """Without means where there is no group."""
    groups = float(which.sum())
    if not groups:
        return {"groups": groups}
    return {
        "groups": groups,
        "groups_with_gradient": float((observations.advantage[which] > 0).mean()),
        "reward": float(observations.reward[which].mean()),
    }
