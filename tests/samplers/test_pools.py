"""Pools by a prompt's last group, and skipping what had no gradient: how often prompts come up."""

import math

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.samplers import Curriculum

BATCH = 50


def within(count, chance, of):
    """Five standard deviations of a binomial number."""
    assert abs(count - chance * of) <= 5 * math.sqrt(of * chance * (1 - chance)) + 1


def one_pass(curriculum, batches, always, kinds):
    """How many of each kind are drawn while those that are always drawn come once each."""
    seen: set[int] = set()
    counts = np.zeros(len(np.unique(kinds)), np.int64)
    while True:
        (batch,) = batches(curriculum, 1, BATCH)
        if seen & set(batch):
            return counts
        seen |= {each for each in batch if kinds[each] == always}
        counts += np.bincount(kinds[batch], minlength=len(counts))


def test_pools_are_drawn_from_by_their_weights(sampler, prompts, guards, batches):
    kinds = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 3_000))
    n, c = np.array([16, 16, 16, 0])[kinds], np.array([2, 8, 15, 0])[kinds]
    weights = {"hard": 0.4, "normal": 2.0, "easy": 1.0, "unseen": 0.1}
    data = prompts(np.zeros(len(kinds)), n=n, c=c)
    made = sampler("pools", weights=weights)
    curriculum = Curriculum(made, data, BATCH, guards(), np.random.default_rng(1))
    assert {k: v for k, v in curriculum.metrics().items() if k.startswith("pool/")} == {
        f"pool/{name}": 3_000 for name in weights
    }
    hard, normal, easy, unseen = one_pass(curriculum, batches, 1, kinds)
    assert normal > 2_900
    within(hard, 0.2, 3_000)
    within(easy, 0.5, 3_000)
    within(unseen, 0.05, 3_000)


def test_prompts_move_in_both_directions(sampler, prompts, guards, outcomes):
    data = prompts(np.zeros(60), n=np.repeat([16, 0], 30), c=np.repeat([8, 0], 30))
    curriculum = Curriculum(sampler("pools"), data, 10, guards(), np.random.default_rng(0))

    def sizes():
        return [curriculum.metrics()[f"pool/{name}"] for name in ("hard", "normal", "easy")]

    assert sizes() == [0, 30, 0]
    curriculum.observe(outcomes(np.arange(10), 8))
    assert sizes() == [0, 20, 10]
    curriculum.observe(outcomes(np.arange(10), 2))  # at most a quarter is hard
    assert sizes() == [10, 20, 0]
    curriculum.observe(outcomes(np.arange(10), 3))
    assert sizes() == [0, 30, 0]
    curriculum.observe(outcomes(np.arange(25, 35), [0, 6, 7, 8, 3, 0, 6, 7, 8, 3]))
    assert sizes() == [2, 29, 4]  # 6 of 8 is still normal
    assert curriculum.metrics()["pool/unseen"] == 25


def test_a_pass_rate_at_a_bound_but_for_rounding_is_at_it(sampler, prompts, guards, outcomes):
    data = prompts(np.zeros(2), n=np.full(2, 10), c=np.array([3, 7]))
    bounds = {"hard_to": np.nextafter(0.3, 0), "normal_to": np.nextafter(0.7, 0)}
    curriculum = Curriculum(sampler("pools", **bounds), data, 1, guards(), np.random.default_rng(0))
    sizes = [curriculum.metrics()[f"pool/{name}"] for name in ("hard", "normal", "easy")]
    assert sizes == [1, 1, 0]


def test_where_every_pool_has_weight_0_batches_are_still_full(sampler, prompts, guards, batches):
    weights = {"hard": 0.0, "normal": 1.0, "easy": 0.0, "unseen": 0.0}
    data = prompts(np.zeros(40), n=np.full(40, 16), c=np.repeat([8, 0], [6, 34]))
    made = sampler("pools", weights=weights)
    curriculum = Curriculum(made, data, 10, guards(), np.random.default_rng(0))
    for batch in batches(curriculum, 12, 10):
        assert len(set(batch)) == 10
        assert set(range(6)) <= set(batch)  # as many normal ones as there are, first


def skipping(sampler, prompts, guards, seed=0, **knobs):
    """4,000 prompts each: in between, always solved, never solved; and never measured."""
    kinds = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 4_000))
    n, c = np.array([16, 16, 16, 0])[kinds], np.array([8, 16, 1, 0])[kinds]
    data = prompts(np.zeros(len(kinds)), n=n, c=c)
    made = sampler("skip_zero_variance", **knobs)
    return Curriculum(made, data, BATCH, guards(), np.random.default_rng(seed)), kinds


def test_prompts_without_a_gradient_are_skipped_as_published(
    sampler, prompts, guards, batches, outcomes
):
    curriculum, kinds = skipping(sampler, prompts, guards, step=0.0)
    counts = one_pass(curriculum, batches, 0, kinds)  # one such group each: p
    assert counts[0] > 3_900
    within(counts[1], 0.5, 4_000)
    within(counts[2], 0.5, 4_000)
    assert counts[3] > 3_900

    curriculum, kinds = skipping(sampler, prompts, guards, step=0.0)
    for _ in range(2):
        curriculum.observe(outcomes(np.flatnonzero(kinds == 1), 8))
    for _ in range(9):
        curriculum.observe(outcomes(np.flatnonzero(kinds == 2), 0))
    counts = one_pass(curriculum, batches, 0, kinds)
    within(counts[1], 0.5**3, 4_000)
    within(counts[2], 0.01, 4_000)  # 0.5 ** 10 is below the least chance

    curriculum.observe(outcomes(np.flatnonzero(kinds == 1), 4))  # a gradient: never skipped
    curriculum.observe(outcomes(np.flatnonzero(kinds == 2), 8))  # from hard to easy: 1 in a row
    batches(curriculum, 1, BATCH)
    drawn = np.concatenate(batches(curriculum, 100, BATCH))
    counts = np.bincount(kinds[drawn])
    assert counts[1] / counts[0] == pytest.approx(1, abs=0.2)
    assert counts[2] / counts[0] == pytest.approx(0.5, abs=0.12)


def test_the_chances_follow_the_share_of_groups_without_a_gradient(
    sampler, prompts, guards, outcomes
):
    curriculum, _ = skipping(sampler, prompts, guards)
    rng, easy, hard = np.random.default_rng(4), 0.5, 0.5
    for _ in range(200):
        passed = rng.choice([0, 4, 8], BATCH, p=rng.dirichlet([0.3, 2, 0.3]))
        curriculum.observe(outcomes(rng.choice(16_000, BATCH, replace=False), passed))
        easy += -0.01 if (passed == 8).mean() >= 0.25 * 0.3333 else 0.01
        hard += -0.01 if (passed == 0).mean() >= 0.25 * 0.6667 else 0.01
        easy, hard = (min(max(each, 0.05), 0.95) for each in (easy, hard))
        found = curriculum.metrics()
        assert (found["p_easy"], found["p_hard"]) == pytest.approx((easy, hard))


def test_half_a_batch_moves_the_chances_half_as_far(sampler, prompts, guards, outcomes):
    curriculum, _ = skipping(sampler, prompts, guards)
    curriculum.observe(outcomes(np.arange(BATCH // 2), 8))
    assert curriculum.metrics()["p_easy"] == pytest.approx(0.495)
    assert curriculum.metrics()["p_hard"] == pytest.approx(0.505)
    for _ in range(100):
        curriculum.observe(outcomes(np.arange(BATCH), 8))
    assert curriculum.metrics()["p_easy"] == 0.05
    assert curriculum.metrics()["p_hard"] == 0.95


@pytest.mark.parametrize(
    ("option", "knobs", "words"),
    [
        ("pools", {"hard_to": 0.8}, "hard_to"),
        ("pools", {"weights": {"hard": 1.0}}, "hard, normal, easy, unseen"),
        ("pools", {"weights": dict.fromkeys(("hard", "normal", "easy", "unseen"), 0.0)}, "all"),
        ("skip_zero_variance", {"hard_to": 0.99}, "hard_to=0.99.*easy_from"),
        ("skip_zero_variance", {"lowest": 0.6}, "in this order"),
        ("skip_zero_variance", {"least": 0.0}, "above 0"),
        ("skip_zero_variance", {"step": -0.1}, "step"),
    ],
)
def test_wrong_knobs_are_refused(sampler, option, knobs, words):
    with pytest.raises(UserError, match=words):
        sampler(option, **knobs)
