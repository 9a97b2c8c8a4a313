"""The learning model of a dry run against its description, read as loops."""

import math

import numpy as np
import pytest
from scipy.stats import beta, kstest

from curriculum.core.prompts import Prompts
from curriculum.trainers.parts.learning import Pace, SimulatedModel


def prompts_of(bucket, source, n, c):
    bucket, source = np.array(bucket), np.array(source)
    size = len(source)
    return Prompts(
        ids=np.array([f"p{row}" for row in range(size)], object),
        index=np.arange(size),
        source=source,
        sources=[f"s{i}" for i in range(source.max() + 1)],
        bucket=bucket,
        buckets=[f"b{i}" for i in range(bucket.max() + 1)],
        difficulty=np.zeros(len(bucket)),
        n=np.broadcast_to(np.float64(n), bucket.shape),
        c=np.broadcast_to(np.float64(c), bucket.shape),
        trained=np.ones(size, np.bool_),
        extra_info=np.full(size, None, object),
        length=np.zeros(size, np.int64),
    )


def started(prompts, rate=0.1, to_buckets=0.5, to_sources=0.2, seed=0):
    return SimulatedModel(prompts, Pace(rate, to_buckets, to_sources), np.random.default_rng(seed))


def logits(model):
    rates = model.pass_rates()
    return np.log(rates / (1 - rates))


def rises(prompts, batch, passes, group_size, rate, to_buckets, to_sources):
    """How much the logit of each prompt rises, from the words of the docstring."""
    risen = []
    for bucket, source in zip(prompts.bucket, prompts.source, strict=True):
        total = 0.0
        for trained, passed in zip(batch, passes, strict=True):
            if 0 < passed < group_size:
                away = abs(int(bucket) - int(prompts.bucket[trained]))
                elsewhere = 1 if source == prompts.source[trained] else to_sources
                total += rate / len(batch) * to_buckets**away * elsewhere
        risen.append(total)
    return risen


def test_a_batch_worked_out_by_hand():
    # Two buckets of two sources, a prompt in each: of four groups two teach, both in (b0, s0).
    prompts = prompts_of([0, 0, 1, 1], [0, 1, 0, 1], n=4, c=2)
    model = started(prompts, rate=0.8)
    before = logits(model)
    model.learn(np.array([0, 0, 2, 3]), np.array([1, 3, 0, 4]), 4)
    own = 0.8 * 2 / 4
    expected = [own, own * 0.2, own * 0.5, own * 0.5 * 0.2]
    assert (logits(model) - before).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("to_buckets", "to_sources"), [(0.5, 0.2), (0.0, 0.0), (1.0, 1.0), (0.3, 0.0), (0.0, 0.7)]
)
def test_batches_teach_what_the_description_says(to_buckets, to_sources):
    rng = np.random.default_rng(1)
    prompts = prompts_of(np.arange(48) % 4, np.arange(48) // 4 % 3, n=16, c=8)
    model = started(prompts, 0.7, to_buckets, to_sources)
    expected = logits(model)
    for _ in range(5):
        batch = rng.integers(0, 48, 10)
        passes = model.roll_out(batch, 4)
        model.learn(batch, passes, 4)
        expected += rises(prompts, batch, passes, 4, 0.7, to_buckets, to_sources)
    assert logits(model) == pytest.approx(expected, abs=1e-9)


def test_groups_without_a_gradient_teach_nothing():
    prompts = prompts_of([0, 1, 2], [0, 1, 0], n=8, c=4)
    model = started(prompts)
    before = model.pass_rates()
    model.learn(np.array([0, 1, 2, 0]), np.array([0, 8, 8, 0]), 8)
    assert (model.pass_rates() == before).all()


def test_without_a_learning_rate_nothing_is_learned():
    prompts = prompts_of([0, 1], [0, 0], n=8, c=4)
    model = started(prompts, rate=0)
    before = model.pass_rates()
    model.learn(np.array([0, 1]), np.array([4, 4]), 8)
    assert (model.pass_rates() == before).all()


@pytest.mark.parametrize(("n", "c"), [(16, 4), (16, 0), (8, 8), (0, 0)])
def test_first_pass_rates_are_draws_from_what_the_rollouts_leave_open(n, c):
    count = 40_000
    none = np.zeros(count, np.int64)
    rates = started(prompts_of(none, none, n, c), seed=3).pass_rates()
    a, b = c + 0.5, n - c + 0.5
    deviation = math.sqrt(a * b / (a + b) ** 2 / (a + b + 1) / count)  # of the mean
    assert abs(rates.mean() - a / (a + b)) < 4 * deviation
    assert kstest(rates, beta(a, b).cdf).pvalue > 0.001
    assert rates.min() > 0
    assert rates.max() < 1


def test_rollouts_pass_at_the_pass_rate():
    prompts = prompts_of([0, 0, 0], [0, 0, 0], n=100, c=[5, 50, 95])
    model = started(prompts)
    batch = np.repeat([0, 1, 2], 20_000)
    passes = model.roll_out(batch, 8).reshape(3, -1)
    assert passes.min() >= 0
    assert passes.max() <= 8
    rates = model.pass_rates()
    deviation = np.sqrt(rates * (1 - rates) / (8 * 20_000))
    assert (np.abs(passes.mean(axis=1) / 8 - rates) < 4 * deviation).all()
    assert passes.var(axis=1) == pytest.approx(8 * rates * (1 - rates), rel=0.05)  # binomial


def test_a_model_is_the_same_for_every_sampler():
    prompts = prompts_of([0, 1, 1], [0, 1, 0], n=8, c=4)
    assert (started(prompts).pass_rates() == started(prompts).pass_rates()).all()
    assert (started(prompts).pass_rates() != started(prompts, seed=1).pass_rates()).all()
