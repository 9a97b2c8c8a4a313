"""The four schedules of E2H, at their beginning, in the middle and at the end."""

import math

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.samplers import Curriculum, EasyToHard

K, STEPS, BATCH = 4, 20, 25


def cosine(done):
    weight = 0.5 * (1 + math.cos(math.pi * done))
    shares = [weight * (K - i) / 10 + (1 - weight) * (i + 1) / 10 for i in range(K)]
    shares = [max(each, 2 / (K * (K + 1))) for each in shares]
    return [each / sum(shares) for each in shares]


def gaussian(done, exponent=0.5, sigma=0.5, least=0.1):
    middle = done**exponent * (K - 1)
    bell = [math.exp(-((i - middle) ** 2) / (2 * sigma**2)) for i in range(K)]
    return [least + (1 - K * least) * each / sum(bell) for each in bell]


BY_HAND = {  # at the beginning, in the middle, at the end
    "classic": ([1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]),
    "balanced": ([0.25] * 4,) * 3,
    "cosine": ([0.4, 0.3, 0.2, 0.1], [0.25] * 4, [0.1, 0.2, 0.3, 0.4]),
    # The middle is at 0, 2.1213 and 3; sigma 0.5: the bell is exp(-2 d^2).
    "gaussian": (gaussian(0), gaussian(0.5), gaussian(1)),
}


def shares_at(schedule, done, exponent=0.5, sigma=0.5, smallest=True):
    steps = 160
    return EasyToHard(schedule, steps, exponent, sigma, smallest).shares(round(done * steps), K)


@pytest.mark.parametrize("schedule", BY_HAND)
def test_shares_are_the_published_ones(schedule):
    for done, expected in zip((0, 0.5, 1), BY_HAND[schedule], strict=True):
        shares = shares_at(schedule, done)
        assert shares == pytest.approx(expected)
        assert shares.sum() == pytest.approx(1)
    for done in np.linspace(0, 1, 33):
        assert shares_at("cosine", done) == pytest.approx(cosine(done))
        wide = shares_at("gaussian", done, 2.0, 1.5, False)
        assert wide == pytest.approx(gaussian(done, 2.0, 1.5, 0.0))


def test_gaussian_by_hand():
    first = shares_at("gaussian", 0.0)
    bell = 1 + math.exp(-2) + math.exp(-8) + math.exp(-18)
    assert first == pytest.approx(
        [0.1 + 0.6 / bell, 0.1 + 0.6 * math.exp(-2) / bell, 0.1 + 0.6 * math.exp(-8) / bell, 0.1],
        abs=1e-7,
    )


@pytest.mark.parametrize("schedule", BY_HAND)
def test_batches_keep_to_the_schedule(sampler, prompts, guards, batches, schedule):
    data = prompts(np.zeros(4_000), bucket=np.arange(4_000) % K)
    curriculum = Curriculum(
        sampler("easy_to_hard", schedule=schedule, steps=STEPS),
        data,
        BATCH,
        guards(),
        np.random.default_rng(0),
    )
    given, wanted = np.zeros(K), np.zeros(K)
    for step in range(STEPS + 5):
        done = min(step / STEPS, 1)
        shares = shares_at(schedule, done)
        counts = np.bincount(data.bucket[batches(curriculum, 1, BATCH)[0]], minlength=K)
        weights = {f"bucket/b{i}/weight": share for i, share in enumerate(shares)}
        own = {k: v for k, v in curriculum.metrics().items() if k.startswith("bucket/")}
        assert own == pytest.approx(weights)  # of the last batch
        given, wanted = given + counts, wanted + BATCH * shares
        assert np.abs(given - wanted).max() <= 1 + 1e-6
        if schedule == "classic":
            assert counts.tolist() == [BATCH * (i == min(step // 5, 3)) for i in range(K)]


def test_buckets_without_prompts_are_no_levels(sampler, prompts, guards, batches):
    data = prompts(np.zeros(100), bucket=np.repeat([0, 3], 50))
    made = sampler("easy_to_hard", schedule="classic", steps=4)
    curriculum = Curriculum(made, data, 10, guards(), np.random.default_rng(0))
    buckets = [set(data.bucket[batch]) for batch in batches(curriculum, 6, 10)]
    assert buckets == [{0}, {0}, {3}, {3}, {3}, {3}]


def test_a_quota_does_not_change_the_clock(sampler, prompts, guards, batches):
    data = prompts(np.tile([0, 0, 1, 1], 100), bucket=np.arange(400) % 2)
    bounds = guards(quotas={"s0": 1, "s1": 19})
    made = sampler("easy_to_hard", steps=40)
    curriculum = Curriculum(made, data, 10, bounds, np.random.default_rng(0))
    batches(curriculum, 41, 10)  # the 41st is the first after the schedule
    for source in ("s0", "s1"):
        weight = curriculum.metrics()[f"{source}/bucket/b0/weight"]
        assert weight == pytest.approx(1 / 3)


def test_a_batch_counts_however_few_prompts_it_has(sampler, prompts, guards, batches, outcomes):
    """Of six prompts the first batches have three too few."""
    data = prompts(np.zeros(6), bucket=np.repeat([0, 1], 3))
    made = sampler("easy_to_hard", schedule="classic", steps=4)
    curriculum = Curriculum(made, data, 6, guards(), np.random.default_rng(0))
    weights, events = [], []
    for batch in batches(curriculum, 5, 6):
        assert sorted(batch) == list(range(6))
        events += curriculum.observe(outcomes(batch, 4))
    curriculum = Curriculum(made, data, 6, guards(), np.random.default_rng(0))
    for _ in range(5):
        batches(curriculum, 1, 6)
        weights.append(curriculum.metrics()["bucket/b1/weight"])
    assert weights == [0, 0, 1, 1, 1]
    assert [(event.kind, event.values["missing"]) for event in events] == [("filled_up", 3)]
    assert curriculum.metrics()["guards/filled_up"] == 15


@pytest.mark.parametrize("knobs", [{"schedule": "linear"}, {"steps": 0}, {"sigma": 0.0}])
def test_wrong_knobs_are_refused(sampler, knobs):
    with pytest.raises(UserError, match=next(iter(knobs))):
        sampler("easy_to_hard", **knobs)
