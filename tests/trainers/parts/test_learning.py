"""The learning model of a dry run against its description, read as loops."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, kstest

from curriculum.core.errors import UserError
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


def started(prompts, rate=0.1, transfer=0.5, to_sources=0.2, seed=0):
    return SimulatedModel(prompts, Pace(rate, transfer, to_sources), np.random.default_rng(seed))


def logits(model):
    rates = model.pass_rates()
    return np.log(rates / (1 - rates))


def prompts_at(levels, source):
    """Measured so well that each is known to lie at so many whole logits."""
    n = 1e6
    return prompts_of(np.zeros(len(levels), np.int64), source, n, np.rint(n * expit(levels)))


def rises(levels, source, batch, passes, group_size, rate, transfer, to_sources):
    """How much the logit of each prompt rises, from the words of the docstring."""
    risen = []
    for level, own in zip(levels, source, strict=True):
        total = 0.0
        for trained, passed in zip(batch, passes, strict=True):
            if 0 < passed < group_size:
                away = abs(int(level) - int(levels[trained]))
                elsewhere = 1 if own == source[trained] else to_sources
                total += rate / len(batch) * transfer**away * elsewhere
        risen.append(total)
    return risen


def test_a_batch_worked_out_by_hand():
    # Two difficulties of two sources, a prompt in each: two of four groups teach, of the first.
    prompts = prompts_at(np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1]))
    model = started(prompts, rate=0.8)
    before = logits(model)
    model.learn(np.array([0, 0, 2, 3]), np.array([1, 3, 0, 4]), 4)
    own = 0.8 * 2 / 4
    expected = [own, own * 0.2, own * 0.5, own * 0.5 * 0.2]
    assert (logits(model) - before).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("transfer", "to_sources"), [(0.5, 0.2), (0.0, 0.0), (1.0, 1.0), (0.3, 0.0), (0.0, 0.7)]
)
def test_batches_teach_what_the_description_says(transfer, to_sources):
    rng = np.random.default_rng(1)
    levels, source = np.arange(48) % 4 - 2, np.arange(48) // 4 % 3
    model = started(prompts_at(levels, source), 0.7, transfer, to_sources)
    expected = logits(model)
    for _ in range(5):
        batch = rng.integers(0, 48, 10)
        passes = model.roll_out(batch, 4)
        model.learn(batch, passes, 4)
        expected += rises(levels, source, batch, passes, 4, 0.7, transfer, to_sources)
    assert logits(model) == pytest.approx(expected, abs=1e-9)


def test_the_buckets_make_no_difference():
    rng = np.random.default_rng(2)
    none = np.zeros(30, np.int64)
    c = rng.integers(0, 9, 30)
    one = started(prompts_of(none, none, 8, c))
    several = started(prompts_of(np.arange(30) % 5, none, 8, c))
    batch = np.arange(10)
    for model in (one, several):
        model.learn(batch, np.full(10, 3), 8)
    assert (one.pass_rates() == several.pass_rates()).all()


def test_sources_that_are_stuck_gain_nothing():
    prompts = prompts_of([0, 0], [0, 1], n=8, c=4)
    model = SimulatedModel(prompts, Pace(0.5, 0.5, 0.5, ("s1",)), np.random.default_rng(0))
    before = model.pass_rates()
    model.learn(np.array([0, 1]), np.array([4, 4]), 8)
    after = model.pass_rates()
    assert after[0] > before[0]
    assert after[1] == before[1]
    with pytest.raises(UserError, match=r"trainer.stuck: no source s9; there are s0, s1"):
        SimulatedModel(prompts, Pace(0.5, 0.5, 0.5, ("s9",)), np.random.default_rng(0))


def test_a_pool_that_is_almost_never_solved_is_simulated_so():
    """0 passes of 8 nearly everywhere: an independent Jeffreys draw would begin at 0.06."""
    rng = np.random.default_rng(3)
    true = np.where(rng.random(4000) < 0.02, 0.25, 0.0)
    none = np.zeros(4000, np.int64)
    model = started(prompts_of(none, none, 8, rng.binomial(8, true)))
    assert model.pass_rates().mean() == pytest.approx(true.mean(), abs=0.002)


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


def test_first_pass_rates_are_draws_from_what_the_rollouts_leave_open():
    """Under the prior that they were made by, draws of the posterior are distributed like it."""
    count, rng = 40_000, np.random.default_rng(4)
    n = np.full(count, 8)
    c = rng.binomial(n, rng.beta(2.0, 5.0, count))
    none = np.zeros(count, np.int64)
    rates = started(prompts_of(none, none, n, c), seed=3).pass_rates()
    assert kstest(rates, beta(2.0, 5.0).cdf).statistic < 0.012
    for passes in (0, 3):
        own = rates[c == passes]
        assert kstest(own, beta(2.0 + passes, 5.0 + 8 - passes).cdf).statistic < 0.03
    unmeasured = started(prompts_of(none, none, 0, 0), seed=3).pass_rates()
    assert kstest(unmeasured, beta(0.5, 0.5).cdf).pvalue > 0.001


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
