"""SEC's and DUMP's shares, against naive loops over their formulas."""

import math

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum

ARMS, BATCH, GROUP = 3, 30, 10


@pytest.fixture
def start(sampler, prompts, guards):
    def start(n=None, c=None, **knobs):
        rows = np.arange(900)
        data = prompts(rows % 2, bucket=rows % ARMS, n=n, c=c)
        made = sampler("bandit", **knobs)
        return Curriculum(made, data, BATCH, guards(), np.random.default_rng(0))

    return start


def numbers(curriculum, what, arm="b"):
    found = curriculum.metrics()
    return [found[f"arm/{arm}{i}/{what}"] for i in range(ARMS if arm == "b" else 2)]


def softmax(scores, temperature):
    weights = [math.exp(each / temperature) for each in scores]
    return [each / sum(weights) for each in weights]


def test_before_anything_came_back_it_goes_by_what_was_measured(start):
    # Rates of (c + .5) / (n + 1): 15.5/16, 7.5/15 and, never measured, 1/2.
    n, c = np.tile([15.0, 14.0, 0.0], 300), np.tile([15.0, 7.0, 0.0], 300)
    curriculum = start(n, c)
    first = 2 * math.sqrt(15.5 / 16 * 0.5 / 16)
    assert numbers(curriculum, "advantage") == pytest.approx([first, 1, 1])
    assert numbers(curriculum, "weight") == pytest.approx(softmax([first, 1, 1], 0.1))


def test_softmax_follows_the_formula(start, outcomes):
    rng = np.random.default_rng(1)
    curriculum = start(alpha=0.3, temperature=0.5)
    value = [1.0] * ARMS
    for _ in range(40):
        share = softmax(value, 0.5)
        counts = rng.integers(0, 25, ARMS)
        rows = np.concatenate([i + 3 * np.arange(k) for i, k in enumerate(counts)])
        if not len(rows):
            continue
        n = rng.integers(2, 9, len(rows))
        advantage = rng.random(len(rows))
        curriculum.observe(outcomes(rows, 1, n=n, advantage=advantage))
        for arm in range(ARMS):
            own = rows % ARMS == arm
            if own.any():
                reward = (advantage[own] * n[own]).sum() / n[own].sum()
                part = min(own.sum() / (BATCH * share[arm]), 1)  # of its part of a batch
                alpha = 1 - 0.7**part
                value[arm] = alpha * reward + (1 - alpha) * value[arm]
        assert numbers(curriculum, "advantage") == pytest.approx(value)
        assert numbers(curriculum, "weight") == pytest.approx(softmax(value, 0.5))


def test_a_whole_batch_is_a_step_of_sec(start, outcomes):
    curriculum = start(alpha=0.5, temperature=0.1)  # all alike: ten groups an arm
    curriculum.observe(outcomes(np.arange(30), 4, advantage=np.tile([0.2, 0.6, 1.0], 10)))
    assert numbers(curriculum, "advantage") == pytest.approx([0.6, 0.8, 1.0])
    assert numbers(curriculum, "weight") == pytest.approx(softmax([0.6, 0.8, 1.0], 0.1))


def test_ucb_follows_the_formula(start, outcomes):
    rng = np.random.default_rng(2)
    curriculum = start(rule="ucb", arms="sources", temperature=0.1, window=12 * GROUP)
    recent: list[list[float]] = [[], []]
    counts, value = [0, 0], [1.0, 1.0]
    for _ in range(30):
        rows = rng.choice(900, int(rng.integers(1, 20)), replace=False)
        advantage = rng.random(len(rows))
        curriculum.observe(outcomes(rows, 4, n=GROUP, advantage=advantage))
        for row, each in zip(rows, advantage, strict=True):
            recent[row % 2] += [each] * GROUP
            counts[row % 2] += GROUP
        score = []
        for arm in range(2):
            last = recent[arm][-12 * GROUP :]
            if last:
                value[arm] = sum(last) / len(last)
            score.append(value[arm] + math.sqrt(2 * math.log(sum(counts) + 1) / (counts[arm] + 1)))
        assert numbers(curriculum, "advantage", "s") == pytest.approx(value)
        assert numbers(curriculum, "weight", "s") == pytest.approx(softmax(score, 0.1))


def test_batches_keep_the_shares(start, prompts, outcomes, batches):
    curriculum = start()
    curriculum.observe(outcomes(np.arange(30), 4, advantage=np.tile([0.9, 0.8, 1.0], 10)))
    share = np.array(numbers(curriculum, "weight"))
    counts = np.bincount(np.concatenate(batches(curriculum, 20, BATCH)) % ARMS, minlength=ARMS)
    assert np.abs(counts - 20 * BATCH * share).max() <= 1


def test_the_scale_of_rewards_does_not_matter(start):
    rng = np.random.default_rng(3)
    prompt = np.repeat(np.arange(30), 8)
    passed = rng.random(240) < 0.2 + 0.3 * (prompt % 3)
    scale = np.array([1.0, 10.0, 0.1])[prompt % 3]
    shares = []
    reward = passed.astype(np.float64)
    for scaled in (reward, reward * scale):
        curriculum = start()
        curriculum.observe(Observations.of_rollouts(prompt, scaled, passed))
        shares.append(numbers(curriculum, "weight"))
    assert shares[0] == pytest.approx(shares[1])
    assert len({round(each, 6) for each in shares[0]}) == 3


def test_the_floor_comes_to_an_arm_without_a_gradient(sampler, prompts, guards, batches, outcomes):
    data = prompts(np.zeros(90), bucket=np.arange(90) % ARMS)
    for floor, expected in ((0.2, 30), (0.0, 0)):
        made = sampler("bandit", temperature=0.01)
        curriculum = Curriculum(made, data, BATCH, guards(floor=floor), np.random.default_rng(0))
        for _ in range(20):  # b0's groups are all right, or all wrong
            curriculum.observe(outcomes(np.arange(30), 4, advantage=np.tile([0, 1, 1], 10)))
        drawn = np.concatenate(batches(curriculum, 90 // 6 + 1, BATCH))  # of 6 the floor's each
        assert len(set(drawn[data.bucket[drawn] == 0])) == expected


def test_an_arm_without_prompts_is_none(sampler, prompts, guards, batches):
    data = prompts(np.zeros(40), bucket=np.repeat([0, 2], 20))
    curriculum = Curriculum(sampler("bandit"), data, 10, guards(), np.random.default_rng(0))
    assert numbers(curriculum, "weight") == pytest.approx([0.5, 0, 0.5])
    for batch in batches(curriculum, 5, 10):
        assert np.bincount(data.bucket[batch]).tolist() == [5, 0, 5]


@pytest.mark.parametrize(
    "knobs", [{"rule": "exp3"}, {"arms": "prompts"}, {"temperature": 0.0}, {"window": 0}]
)
def test_wrong_knobs_are_refused(sampler, knobs):
    with pytest.raises(UserError, match=next(iter(knobs))):
        sampler("bandit", **knobs)
