"""A curriculum that stands still says so, once."""

import logging

import numpy as np
import pytest

from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum, Guards
from curriculum.samplers.curriculum import UNHEARD


@pytest.fixture
def made(sampler, prompts):
    def made(option, **given):
        of = prompts([0] * 16, n=np.full(16, 4), c=np.arange(16) % 5)
        return Curriculum(sampler(option, **given), of, 4, Guards(), np.random.default_rng(0))

    return made


def train(curriculum, batches, reward):
    events = []
    for _ in range(batches):
        rows = curriculum.next_batch()
        passed = np.ones(len(rows), np.bool_)  # without any it would be an outage
        events += curriculum.observe(
            Observations.of_rollouts(rows, np.full(len(rows), float(reward)), passed)
        )
    return events


def test_a_threshold_that_is_not_reached_is_said_once_a_level(made):
    curriculum = made("reward_curriculum", min_batches_per_level=2, check_frequency=1)
    (stuck,) = [each for each in train(curriculum, 60, 0.25) if each.kind == "stuck"]
    assert stuck.loud and stuck.values == {"level": 0, "batches": 20, "reward": 0.25}
    assert "has not reached reward_threshold=0.5 in 20 batches" in stuck.text


def test_one_that_is_reached_is_not(made):
    curriculum = made("reward_curriculum", min_batches_per_level=2, check_frequency=1)
    kinds = [each.kind for each in train(curriculum, 60, 1.0)]
    assert kinds.count("level_up") == 10 and "stuck" not in kinds


@pytest.mark.parametrize(("option", "said"), [("thompson", 1), ("uniform", 0)])
def test_a_sampler_that_hears_of_no_reward_says_so_once(made, caplog, option, said):
    curriculum = made(option)
    with caplog.at_level(logging.WARNING):
        for _ in range(3 * UNHEARD):
            curriculum.next_batch()
    told = [each for each in caplog.messages if "no reward has come back" in each]
    assert len(told) == said
    assert all(f"in {UNHEARD} batches" in each for each in told)
