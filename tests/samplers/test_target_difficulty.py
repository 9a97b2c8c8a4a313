"""AdaRFT's thermostat, by its formula and numbers."""

import math

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.samplers import Curriculum

BATCH = 32


@pytest.fixture
def measured(prompts):
    """Solved 0 to 16 times of 16, and never measured."""
    c = np.arange(1_700) % 17
    return prompts(np.zeros(1_800), n=np.repeat([16, 0], [1_700, 100]), c=np.append(c, [0] * 100))


@pytest.fixture
def start(sampler, measured, guards):
    def start(seed=0, **knobs):
        made = sampler("target_difficulty", **knobs)
        return Curriculum(made, measured, BATCH, guards(), np.random.default_rng(seed))

    return start


def target(curriculum):
    return curriculum.metrics()["target_difficulty"]


def test_one_batch_moves_it_as_published(start, outcomes):
    curriculum = start()
    assert target(curriculum) == 0
    curriculum.observe(outcomes(np.arange(BATCH), 8))  # R = 1: 50 tanh(2 (1 - 0.5))
    assert target(curriculum) == pytest.approx(50 * math.tanh(1))
    assert target(curriculum) == pytest.approx(38.08, abs=0.005)
    curriculum.observe(outcomes(np.arange(BATCH), 8))
    assert target(curriculum) == pytest.approx(76.16, abs=0.005)
    curriculum.observe(outcomes(np.arange(BATCH), 4))  # R = target: stays
    assert target(curriculum) == pytest.approx(76.16, abs=0.005)
    curriculum.observe(outcomes(np.arange(BATCH), 8))
    assert target(curriculum) == 100
    curriculum.observe(outcomes(np.arange(BATCH), 2))
    assert target(curriculum) == pytest.approx(100 - 50 * math.tanh(0.5))
    for _ in range(5):
        curriculum.observe(outcomes(np.arange(BATCH), 0))
    assert target(curriculum) == 0


def test_it_follows_the_formula_over_many_batches(start, outcomes):
    rng = np.random.default_rng(5)
    knobs = {"start_at": 30.0, "step": 7.0, "sensitivity": 3.0, "target_reward": 0.4}
    curriculum, expected = start(**knobs), 30.0
    for _ in range(60):
        passed = rng.integers(0, 9, BATCH)
        curriculum.observe(outcomes(rng.integers(0, 1_700, BATCH), passed))
        move = 7 * math.tanh(3 * (passed.sum() / (8 * BATCH) - 0.4))
        expected = min(max(expected + move, 0), 100)
        assert target(curriculum) == pytest.approx(expected)


def test_half_a_batch_moves_it_half_as_far(start, outcomes):
    curriculum = start()
    curriculum.observe(outcomes(np.arange(BATCH // 2), 8))
    assert target(curriculum) == pytest.approx(25 * math.tanh(1))


def test_all_prompts_are_a_whole_batch(sampler, prompts, guards, outcomes):
    made = sampler("target_difficulty")
    data = prompts(np.zeros(8))
    curriculum = Curriculum(made, data, 8, guards(), np.random.default_rng(0))
    assert len(list(curriculum)) == 8
    curriculum.observe(outcomes(np.arange(8), 8))
    assert target(curriculum) == pytest.approx(50 * math.tanh(1))


@pytest.mark.parametrize("at", [0.0, 20.0, 50.0, 81.0, 100.0])
def test_the_nearest_prompts_are_drawn(start, measured, batches, at):
    distance = np.abs(100 * (1 - (measured.c + 0.5) / (measured.n + 1)) - at)
    farthest = np.sort(distance)[4 * BATCH - 1]
    curriculum = start(start_at=at)
    (batch,) = batches(curriculum, 1, BATCH)
    assert len(set(batch)) == BATCH
    assert distance[batch].max() <= farthest
    (exact,) = batches(start(start_at=at, nearest=1.0), 1, BATCH)
    assert sorted(distance[exact]) == sorted(distance)[:BATCH]


def test_a_target_that_stays_does_not_draw_the_same_batch_again(start, batches):
    drawn = batches(start(start_at=40.0), 6, BATCH)
    assert len({tuple(sorted(batch)) for batch in drawn}) == 6


def test_prompts_as_hard_as_the_target_all_have_their_turn(start, measured, batches):
    unseen = set(np.flatnonzero((measured.n == 0) | (measured.c == 8)))  # all of them 50
    assert len(unseen) == 200
    drawn = {each for batch in batches(start(start_at=50.0), 60, BATCH) for each in batch}
    assert unseen <= drawn


@pytest.mark.parametrize(
    "knobs", [{"start_at": 101.0}, {"step": 0.0}, {"sensitivity": 0.0}, {"nearest": 0.5}]
)
def test_wrong_knobs_are_refused(sampler, knobs):
    with pytest.raises(UserError, match=next(iter(knobs))):
        sampler("target_difficulty", **knobs)
