"""Numbers of a training by hand."""

import numpy as np

from curriculum.core.prompts import Observations
from curriculum.integrations.metrics import numbers_of
from curriculum.samplers import Curriculum, Guards, Uniform
from curriculum.testing import make_prompts


def test_groups_are_counted_in_all_and_by_source():
    prompts = make_prompts(8)
    curriculum = Curriculum(Uniform(), prompts, 4, Guards(), np.random.default_rng(0), 2)
    mixed, all_passed = 0, int(np.flatnonzero(prompts.source != prompts.source[0])[0])
    rewards = np.array([1.0, 0.0, 1.0, 1.0])
    rows = np.repeat([mixed, all_passed], 2)
    numbers = numbers_of(curriculum, Observations.of_rollouts(rows, rewards, rewards >= 0.5))
    assert numbers["sampler/groups"] == 2
    assert numbers["sampler/groups_with_gradient"] == 0.5
    assert numbers["sampler/reward"] == 0.75
    of = {row: f"sampler/source/{prompts.sources[prompts.source[row]]}" for row in rows.tolist()}
    assert numbers[f"{of[mixed]}/groups_with_gradient"] == 1
    assert numbers[f"{of[mixed]}/reward"] == 0.5
    assert numbers[f"{of[all_passed]}/groups_with_gradient"] == 0
    bucket = prompts.buckets[prompts.bucket[mixed]]
    assert numbers[f"sampler/bucket/{bucket}/groups"] >= 1
    assert "sampler/guards/gave_way" in numbers
    others = {name for name in numbers if name.startswith("sampler/source/")} - {
        f"{of[row]}/{what}"
        for row in (mixed, all_passed)
        for what in ("groups", "groups_with_gradient", "reward")
    }
    assert all(name.endswith("/groups") and numbers[name] == 0 for name in others)
