"""Posteriors by hand and against dense implementations; thompson and learnability by them."""

import numpy as np
import pytest
from scipy import integrate, stats

from curriculum.core.errors import UserError
from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum
from curriculum.samplers.parts.beta_posterior import BetaPosterior, Evidence
from curriculum.samplers.parts.interpolated_posterior import InterpolatedPosterior


def known(data, prior, trust=1.0, discount=1.0, half_life=None, batch_size=1.0):
    shared = {"discount": discount, "half_life": half_life, "drift": 0.0}
    evidence = Evidence(prior=prior, trust=trust, **shared)
    return BetaPosterior(data, evidence, batch_size)


def parameters(posterior, size):
    return np.array(posterior.parameters(np.arange(size)))


def test_a_posterior_begins_with_what_was_measured(prompts):
    data = prompts([0, 0, 0], n=[16, 4, 0], c=[12, 0, 0])
    assert parameters(known(data, (1, 1)), 3).tolist() == [[13, 1, 1], [5, 5, 1]]
    half = parameters(known(data, (0.5, 2), 0.5), 3)
    assert half.tolist() == [[6.5, 0.5, 0.5], [4, 4, 2]]
    assert parameters(known(data, (1, 3), 0.0), 3).tolist() == [[1, 1, 1], [3, 3, 3]]


def test_a_group_by_hand(prompts, outcomes):
    posterior = known(prompts([0, 0], n=[16, 0], c=[12, 0]), (1.0, 1.0), 1.0, 0.5)
    posterior.observe(outcomes([0, 1], [3, 8]))
    # a: 0.5 x 13 + 0.5 x 1 + 3 = 10; b: 0.5 x 5 + 0.5 + 5 = 8
    assert parameters(posterior, 2).tolist() == [[10, 9], [8, 1]]
    posterior.observe(outcomes([0], [3], n=[6]))
    assert parameters(posterior, 2).tolist() == [[8.5, 9], [7.5, 1]]


@pytest.mark.parametrize("discount", [1.0, 0.7, 0.0])
def test_posteriors_follow_the_formula(prompts, outcomes, discount):
    rng = np.random.default_rng(1)
    n = rng.integers(0, 17, 40)
    c = rng.binomial(n, 0.4)
    posterior = known(prompts(np.zeros(40), n=n, c=c), (1.5, 2.5), 0.6, discount)
    a = [1.5 + 0.6 * each for each in c]
    b = [2.5 + 0.6 * (k - each) for k, each in zip(n, c, strict=True)]
    for _ in range(30):
        rows = rng.choice(40, 9, replace=False)
        passed, size = rng.integers(0, 5, 9), rng.integers(5, 9, 9)
        posterior.observe(outcomes(rows, passed, size))
        for row, wins, k in zip(rows, passed, size, strict=True):
            a[row] = discount * a[row] + (1 - discount) * 1.5 + wins
            b[row] = discount * b[row] + (1 - discount) * 2.5 + (k - wins)
    assert parameters(posterior, 40) == pytest.approx(np.array([a, b]))


def test_evidence_fades_by_batches_also_of_prompts_that_are_not_drawn(prompts, outcomes):
    data = prompts([0, 0, 0], n=[16, 8, 0], c=[12, 0, 0])
    posterior = known(data, (1.0, 2.0), half_life=3.0, batch_size=2)
    for _ in range(3):
        posterior.observe(outcomes([2], [4]))  # half a batch
    # Half a half-life: 1 + 12 / sqrt 2, 2 + 4 / sqrt 2; 1 + 0, 2 + 8 / sqrt 2
    a, b = parameters(posterior, 3)
    root = 2**0.5
    assert a[:2] == pytest.approx([1 + 12 / root, 1])
    assert b[:2] == pytest.approx([2 + 4 / root, 2 + 8 / root])
    # The last group is new, those before it are 1/2 and 1 batch old: 2 ** (-1/6), 2 ** (-1/3).
    assert a[2] == pytest.approx(1 + 4 * (1 + 2 ** (-1 / 6) + 2 ** (-1 / 3)))
    posterior.observe(outcomes([0], [8]))
    assert parameters(posterior, 1)[0] == pytest.approx([1 + 12 * 2 ** (-2 / 3) + 8])


def every_candidate(sampler, prompts, guards, batches, option, measured, **knobs):
    """A first batch of 10, with every prompt for a candidate."""
    n, c = measured
    data = prompts(np.zeros(len(n)), n=n, c=c)
    made = sampler(option, candidates=len(n) / 10, **knobs)
    curriculum = Curriculum(made, data, 10, guards(), np.random.default_rng(0))
    return batches(curriculum, 1, 10)[0]


@pytest.mark.parametrize("target", [0.1, 0.5, 0.9])
def test_the_nearest_to_the_target_are_drawn(sampler, prompts, guards, batches, target):
    rate = np.random.default_rng(2).permutation(np.linspace(0, 1, 201))
    exact = np.full(201, 1e10)  # so well that a draw of the posterior is the rate
    tools = (sampler, prompts, guards, batches)
    batch = every_candidate(*tools, "thompson", (exact, exact * rate), target=target)
    # 0.005 apart: the tenth is 0.025 away, and which of two as near as that is left to chance.
    assert np.abs(rate[batch] - target).max() <= 0.025 + 1e-4


def test_what_is_uncertain_is_tried_too(sampler, prompts, guards, batches):
    n, c = np.repeat([1_000.0, 0.0], 200), np.repeat([560.0, 0.0], 200)
    drawn = every_candidate(sampler, prompts, guards, batches, "thompson", (n, c), target=0.5)
    # Known ones lie around 0.56 +- 0.016; of 200 uniform draws about 10 within 0.025 of 0.5.
    assert sum(each >= 200 for each in drawn) >= 5


def test_only_so_many_candidates_are_looked_at(sampler, prompts, guards, batches):
    n = np.full(400, 1e10)
    data = prompts(np.zeros(400), n=n, c=n * np.linspace(0, 1, 400))
    for option in ("thompson", "learnability"):
        curriculum = Curriculum(
            sampler(option, candidates=4.0), data, 10, guards(), np.random.default_rng(0)
        )
        drawn = [each for batch in batches(curriculum, 10, 10) for each in batch]
        assert len(set(drawn)) == 100  # ten times 40 candidates are one pass: none comes twice


def test_learnability_is_the_expected_variance(sampler, prompts, guards, batches):
    rng = np.random.default_rng(3)
    n = rng.integers(0, 33, 60).astype(float)
    c = np.floor(rng.random(60) * (n + 1))

    def expected(passes, rollouts):
        posterior = stats.beta(1 + passes, 1 + rollouts - passes)
        return integrate.quad(lambda p: p * (1 - p) * posterior.pdf(p), 0, 1)[0]

    scores = np.array([expected(*each) for each in zip(c, n, strict=True)])
    batch = every_candidate(sampler, prompts, guards, batches, "learnability", (n, c))
    assert sorted(scores[batch]) == pytest.approx(sorted(scores)[-10:], rel=1e-6)


class Dense:
    """BOTS as published: every batch updates every prompt."""

    def __init__(self, weak, strong, prior, forgetting, pseudo, momentum):
        self.weak, self.strong, self.prior = weak, strong, prior
        self.l, self.rho, self.momentum = forgetting, pseudo, momentum
        self.a, self.b = [prior[0]] * len(weak), [prior[1]] * len(weak)
        self.k = None

    def step(self, tried, m):
        mean = sum(tried.values()) / len(tried)
        weak = sum(self.weak[i] for i in tried) / len(tried)
        strong = sum(self.strong[i] for i in tried) / len(tried)
        now = (mean - weak) / (strong - weak + 1e-6)
        self.k = now if self.k is None else self.momentum * self.k + (1 - self.momentum) * now
        for i in range(len(self.weak)):
            guess = self.weak[i] + self.k * (self.strong[i] - self.weak[i])
            rate = tried.get(i, min(max(guess, 0), 1))
            own = tried.get(i, 0) * m * (1 - self.rho)
            lost = (1 - tried[i]) * m * (1 - self.rho) if i in tried else 0
            self.a[i] = (
                (1 - self.l) * self.a[i] + self.l * self.prior[0] + own + self.rho * rate * m
            )
            self.b[i] = (
                (1 - self.l) * self.b[i] + self.l * self.prior[1] + lost + self.rho * (1 - rate) * m
            )


def both(prompts, weak, strong, batch_size, forgetting=0.2, pseudo=0.2, momentum=0.9):
    prior, size = (1.0, 2.0), len(weak)
    lazy = InterpolatedPosterior(
        prompts(np.zeros(size)),
        Evidence(prior=prior, discount=1 - forgetting),
        batch_size,
        (weak, strong),
        pseudo,
        momentum,
    )
    return lazy, Dense(weak, strong, prior, forgetting, pseudo, momentum)


@pytest.mark.parametrize(("forgetting", "pseudo"), [(0.2, 0.2), (0.0, 0.5), (0.5, 0.0), (1.0, 1)])
def test_bots_is_the_dense_one_where_the_model_stays_where_it_is(
    prompts, outcomes, forgetting, pseudo
):
    rng = np.random.default_rng(4)
    shift = rng.uniform(-0.2, 0.2, 30)
    # Pairs whose references and rates cancel out: every batch has a mean of 0.2, 0.8 and 0.5.
    weak, strong = 0.2 + np.append(shift, -shift), 0.8 - np.append(shift, -shift) / 2
    lazy, dense = both(prompts, weak, strong, 8, forgetting, pseudo)
    for _ in range(25):
        first = rng.choice(30, 4, replace=False)
        passed = rng.integers(0, 9, 4)
        rows, passes = np.append(first, first + 30), np.append(passed, 8 - passed)
        lazy.observe(outcomes(rows, passes))
        dense.step(dict(zip(rows.tolist(), (passes / 8).tolist(), strict=True)), 8)
        assert lazy.metrics()["between_references"] == pytest.approx(dense.k)
        assert parameters(lazy, 60) == pytest.approx(np.array([dense.a, dense.b]), rel=1e-9)


def test_bots_stays_near_the_dense_one_where_the_model_moves_slowly(prompts, outcomes):
    rng = np.random.default_rng(5)
    weak = rng.uniform(0, 0.4, 80)
    strong = weak + rng.uniform(0.3, 0.5, 80)
    lazy, dense = both(prompts, weak, strong, 16)
    for step in range(60):
        rows = rng.choice(80, 16, replace=False)
        true = weak[rows] + step / 60 * (strong - weak)[rows]
        passes = rng.binomial(8, true)
        lazy.observe(outcomes(rows, passes))
        dense.step(dict(zip(rows.tolist(), (passes / 8).tolist(), strict=True)), 8)
    assert lazy.metrics()["between_references"] == pytest.approx(dense.k)
    a, b = parameters(lazy, 80)
    rate = np.array(dense.a) / (np.array(dense.a) + dense.b)
    assert np.abs(a / (a + b) - rate).max() < 0.05
    assert a + b == pytest.approx(np.array(dense.a) + dense.b)


def test_where_the_model_stands_is_told(sampler, prompts, guards, outcomes):
    extra = {"weak": np.full(50, 0.2), "strong": np.full(50, 0.8)}
    data = prompts(np.zeros(50), extra=extra)
    made = sampler("thompson", references=["weak", "strong"], discount=0.8)
    curriculum = Curriculum(made, data, 10, guards(), np.random.default_rng(0))
    assert "between_references" not in curriculum.metrics()
    curriculum.observe(outcomes(np.arange(10), 4))
    k = 0.3 / (0.6 + 1e-6)
    assert curriculum.metrics()["between_references"] == pytest.approx(k)
    curriculum.observe(outcomes(np.arange(10), 8))
    moved = 0.9 * k + 0.1 * 0.8 / (0.6 + 1e-6)
    assert curriculum.metrics()["between_references"] == pytest.approx(moved)


@pytest.mark.parametrize(
    ("option", "knobs", "words"),
    [
        ("thompson", {"target": 1.5}, "target"),
        ("thompson", {"momentum": 1.0}, "momentum"),
        ("thompson", {"references": ["weak"], "discount": 0.8}, "references"),
        ("thompson", {"candidates": 0.5}, "candidates=0.5"),
        ("thompson", {"references": ["weak", "strong"]}, "discount=0.8"),
        ("learnability", {"prior": [0.0, 1.0]}, "prior"),
        ("learnability", {"prior": [1.0]}, "prior"),
        ("learnability", {"discount": 1.5}, "discount"),
        ("learnability", {"trust": -0.1}, "trust"),
    ],
)
def test_wrong_knobs_are_refused(sampler, option, knobs, words):
    with pytest.raises(UserError, match=words):
        sampler(option, **knobs)


def test_references_must_be_shares(sampler, prompts, guards):
    data = prompts([0, 0], extra={"weak": [0, 0.5], "strong": [0.5, 70]})
    made = sampler("thompson", references=["weak", "strong"], discount=0.8)
    with pytest.raises(UserError, match="shares"):
        Curriculum(made, data, 1, guards(), np.random.default_rng(0))


@pytest.mark.parametrize(("each_epoch", "discount"), [(0.4, 1.0), (0.4, 0.9), (0.0, 1.0)])
def test_posteriors_follow_a_model_that_gets_better(prompts, each_epoch, discount):
    """Six epochs, each prompt drawn once in each, after 64 measured rollouts: 90 % intervals."""
    rng, size, count = np.random.default_rng(5), 50, 1000
    logit = rng.normal(-1, 1.5, count)
    c = rng.binomial(64, 1 / (1 + np.exp(-logit)))
    data = prompts(np.zeros(count), n=np.full(count, 64), c=c)
    posterior = BetaPosterior(data, Evidence(discount=discount, half_life=100), size)
    epoch = np.split(rng.permutation(count), count // size)
    for rows in [*epoch, *epoch, *epoch, *epoch, *epoch, *epoch]:
        passes = rng.binomial(8, 1 / (1 + np.exp(-logit[rows])))
        posterior.observe(Observations.of_passes(rows, passes, 8))
        logit += each_epoch * size / count
    a, b = parameters(posterior, count)
    rate = 1 / (1 + np.exp(-logit))
    low, high = stats.beta.ppf(0.05, a, b), stats.beta.ppf(0.95, a, b)
    assert ((low <= rate) & (rate <= high)).mean() > 0.82
    assert abs((a / (a + b) - rate).mean()) < 0.03
    assert posterior.metrics()["drift"] == pytest.approx(6 * each_epoch, abs=0.3)


def test_without_drift_posteriors_are_left_behind(prompts):
    rng, size, count = np.random.default_rng(5), 50, 1000
    logit = rng.normal(-1, 1.5, count)
    c = rng.binomial(64, 1 / (1 + np.exp(-logit)))
    data = prompts(np.zeros(count), n=np.full(count, 64), c=c)
    posterior = BetaPosterior(data, Evidence(half_life=100, drift=0.0), size)
    epoch = np.split(rng.permutation(count), count // size)
    for rows in [*epoch, *epoch, *epoch, *epoch, *epoch, *epoch]:
        passes = rng.binomial(8, 1 / (1 + np.exp(-logit[rows])))
        posterior.observe(Observations.of_passes(rows, passes, 8))
        logit += 0.4 * size / count
    low, high = (stats.beta.ppf(q, *parameters(posterior, count)) for q in (0.05, 0.95))
    rate = 1 / (1 + np.exp(-logit))
    assert ((low <= rate) & (rate <= high)).mean() < 0.05


def test_a_prior_is_fitted_to_what_was_measured(prompts):
    rng = np.random.default_rng(6)
    c = rng.binomial(16, rng.beta(0.5, 8.0, 2000))
    measured = prompts(np.zeros(2000), n=np.full(2000, 16), c=c)
    assert BetaPosterior(measured, Evidence(), 1.0).prior == pytest.approx((0.5, 8.0), rel=0.15)
    assert BetaPosterior(measured, Evidence(trust=0.0), 1.0).prior == (1.0, 1.0)
    assert BetaPosterior(prompts([0, 0]), Evidence(), 1.0).prior == (1.0, 1.0)
