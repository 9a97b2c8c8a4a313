"""Checks that a strategy keeps its contract; plugin authors run them, and so do the built-ins.

Each takes the strategy's class, or anything that makes a fresh one when called without arguments
(`functools.partial(Percentile, n=4, names=None)`), and raises AssertionError with what is wrong.
"""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, cast

import numpy as np
import pyarrow as pa

from curriculum.bucketers import Bucketer
from curriculum.metrics import MeanReward, Measure, Metric, measure
from curriculum.records import PROBLEM_SCHEMA, Floats, Integers, Metrics, Problems, Rewards, Sample
from curriculum.rewards import Reward
from curriculum.samplers import Curriculum, Observations, Prompts, Rails, Sampler
from curriculum.samplers.base import Allowed

STANDARD = Measure(
    threshold=0.5,
    strict=False,
    scale=1,
    std_weight=0.3,
    mean_at_k=[1, 3, 5],
    pass_at_k=[1, 4, 8],
    prior=[0.5, 0.5],
    level=0.9,
)
RAILS = Rails(floor=0.2, quotas=None, no_repeat=0, max_repeats=None, collapse=0.1, patience=20)
BATCH, GROUP = 16, 8  # prompts, and rollouts of each
HALF = 0.5  # a reward that stands for some prompts with a gradient and others without


def make_rewards(groups: Sequence[Sequence[float]]) -> Rewards:
    """Rewards of as many problems as there are groups, each with its own number of rollouts."""
    counts = [len(group) for group in groups]
    values = np.concatenate([np.asarray(group, np.float64) for group in groups])
    return Rewards(np.arange(len(groups)), values, np.concatenate([[0], np.cumsum(counts)]))


def make_problems(count: int) -> Problems:
    """Problems called p0, p1, ..."""
    rows = [
        {
            "problem_id": f"p{i}",
            "data_source": "test",
            "prompt": json.dumps(f"question {i}"),
            "ground_truth": json.dumps(str(i)),
            "data_idx": i,
            "file": "test.parquet",
            "position": i,
        }
        for i in range(count)
    ]
    return Problems(pa.Table.from_pylist(rows, PROBLEM_SCHEMA))


def make_metrics(groups: Sequence[Sequence[float]]) -> Metrics:
    """The standard metrics of groups of rewards, cut on the mean reward.

    The data puts problems in the buckets easy and hard, by a mean reward of 0.5.
    """
    recorded = ["easy" if np.mean(group) >= 0.5 else "hard" for group in groups]
    problems = make_problems(len(groups)).in_buckets(pa.array(recorded, pa.string()))
    rewards = make_rewards(groups)
    return measure(problems, rewards, STANDARD, MeanReward(), "mean_reward")


def check_bucketer(make: Callable[[], Bucketer]) -> None:
    """Names, determinism, row order, edges that survive JSON, and the odd sets of problems."""
    metrics = make_metrics(_binary_groups(problems=240))
    bucketer = make().fit(metrics)
    assigned = _check_assignment(bucketer, metrics)
    again = make().fit(metrics).assign(metrics)
    assert (again == assigned).all(), "fitting the same problems twice cuts them differently"

    shuffled = np.random.default_rng(0).permutation(len(metrics))
    other = make().fit(metrics.take(shuffled)).assign(metrics.take(shuffled))
    assert (other == assigned[shuffled]).all(), "the order of problems changes their bucket"

    restored = make()
    restored.names_ = list(bucketer.names_)
    restored.edges_ = _through_json(bucketer.edges_)
    assert (restored.assign(metrics) == assigned).all(), "edges_ don't survive JSON"
    part = np.arange(0, len(metrics), 7)
    same = restored.assign(metrics.take(part)) == assigned[part]
    assert same.all(), "assign depends on which problems it is given together"

    for odd in ([[1.0] * 8], [[0.0] * 8] * 30, [[0.0] * 5, [1.0] * 9], [[0.3, 0.7] * 4] * 5):
        _check_assignment(make().fit(make_metrics(odd)), make_metrics(odd))


def check_metric(make: Callable[[], Metric]) -> None:
    """One number a problem, the same alone or in company, in whatever order rewards come."""
    metric = make()
    assert metric.easier in ("higher", "lower"), "easier must be 'higher' or 'lower'"
    groups: list[list[float]] = [
        [0, 1, 1, 0, 1, 0, 0, 0],
        [1.0] * 9,
        [0.0] * 8,
        [0.2, 0.9, 0.4, 0.4] * 3,
    ]
    together = metric(make_rewards(groups))
    assert isinstance(together, np.ndarray), f"a {type(together).__name__}, not an array"
    assert together.shape == (len(groups),), f"shape {together.shape}, not ({len(groups)},)"
    assert together.dtype == np.float64, f"dtype {together.dtype}, not float64"
    for group, value in zip(groups, together, strict=True):
        _check_equal(metric(make_rewards([group])), value, "a problem's company changes its metric")
        turned = metric(make_rewards([group[::-1]]))
        _check_equal(turned, value, "the order of rewards changes the metric")


def check_reward(make: Callable[[], Reward], samples: Sequence[Sample]) -> None:
    """It pickles, and gives one finite number a sample whatever the batch.

    Args:
        samples: some that the reward can score.
    """
    reward = pickle.loads(pickle.dumps(make()))
    scores = [float(score) for score in reward.score(samples)]
    assert len(scores) == len(samples), f"{len(scores)} rewards for {len(samples)} samples"
    assert all(map(math.isfinite, scores)), f"rewards must be finite numbers: {scores}"
    singly = [float(reward.score([sample])[0]) for sample in samples]
    assert singly == scores, "a sample's company changes its reward"
    assert list(make().score(samples)) == scores, "the same samples get other rewards"


def make_prompts(count: int, sources: int = 2, buckets: int = 4) -> Prompts:
    """Prompts measured with 16 rollouts each, a fifth of them never; `extra` has a field `score`.

    Sources s0, s1, ... are of unequal size; buckets b0, b1, ... are of equal size, easy to hard.
    """
    rng = np.random.default_rng(0)
    rate = rng.random(count)
    n = np.where(rng.random(count) < 0.2, 0.0, 16.0)
    c = rng.binomial(n.astype(np.int64), rate).astype(np.float64)
    difficulty = 1 - (c + 0.5) / (n + 1)
    rank = np.empty(count, np.int64)
    rank[np.lexsort((rng.random(count), difficulty))] = np.arange(count)
    return Prompts(
        source=np.minimum(rng.geometric(0.5, count) - 1, sources - 1),
        sources=[f"s{i}" for i in range(sources)],
        bucket=rank * buckets // max(count, 1),
        buckets=[f"b{i}" for i in range(buckets)],
        difficulty=difficulty,
        n=n,
        c=c,
        extra=lambda name, rows: rate[rows] if name == "score" else np.zeros(len(rows)),
    )


def check_sampler(make: Callable[[], Sampler]) -> None:
    """Determinism, exact resume, no starvation, lag, and the odd sets of prompts and rewards.

    The sampler is driven by a `Curriculum`, with a floor, on prompts of the sources s0 and s1.
    """
    prompts = make_prompts(150)
    run = [_drive(_curriculum(make, prompts, no_repeat=20), 30, lag=lag) for lag in (0, 0, 5)]
    assert run[0] == run[1], "the same seed draws other prompts"
    for batch in run[0] + run[2]:
        assert len(set(batch)) == len(batch), "a batch has a prompt twice"
        assert all(0 <= each < len(prompts) for each in batch), "no such prompt"
    _check_resume(make, prompts)
    _check_state(make, prompts)
    for reward in (None, 0.0, 1.0, HALF):
        _check_nothing_starves(make, prompts.take(np.arange(60)), reward)
    one, few = make_prompts(1), make_prompts(BATCH // 2)
    only = np.flatnonzero(prompts.source == 0)
    for odd in (one, few, prompts.take(only), make_prompts(60, sources=2, buckets=1)):
        assert len(_drive(_curriculum(make, odd), 20, lag=2)) == 20


class _Watched:
    """A sampler whose draws are checked."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        drawn = self._sampler.draw(count, allowed, batch)
        assert len(drawn) <= count, f"{len(drawn)} prompts for {count}"
        assert len(np.unique(drawn)) == len(drawn), "a draw has a prompt twice"
        assert allowed(drawn).all(), "a draw has prompts that are not allowed"
        return drawn


def _curriculum(make: Callable[[], Sampler], prompts: Prompts, no_repeat: int = 0) -> Curriculum:
    sampler = cast(Sampler, _Watched(make()))
    rails = replace(RAILS, no_repeat=no_repeat)
    return Curriculum(sampler, prompts, BATCH, rails, np.random.default_rng(0))


def _drive(
    curriculum: Curriculum, batches: int, lag: int, first: int = 0, reward: float | None = -1
) -> list[list[int]]:
    """Batches drawn while feedback comes `lag` batches later, in two parts and with cut-offs.

    Args:
        reward: of every rollout; -1: by chance; HALF: none passes but of some prompts; None:
            nothing ever comes back.
    """
    drawn: list[list[int]] = []
    for step in range(first, first + batches):
        size = min(BATCH, len(curriculum))
        batch = list(islice(curriculum, size))
        batch += islice(curriculum, size - len(batch))  # an epoch has ended, the next begins
        drawn.append(batch)
        if reward is not None and step - first >= lag:
            _feed_back(curriculum, drawn[step - first - lag], step, reward)
    return drawn


def _feed_back(curriculum: Curriculum, batch: Sequence[int], step: int, reward: float) -> None:
    rng = np.random.default_rng([7, step])
    prompt = rng.permutation(np.repeat(np.array(batch, np.int64), GROUP))
    rate = 0.2 + 0.6 * ((prompt * 7919) % 97) / 97  # of a prompt, wherever it stands
    if reward == HALF:
        rate = rate * (prompt % 2)
    by_chance = reward in (-1, HALF)
    passed = rng.random(len(prompt)) < rate if by_chance else np.full(len(prompt), reward > 0)
    answered = rng.random(len(prompt)) < 0.9
    half = np.isin(prompt, batch[::2])
    for part in (half, ~half):
        rewards = passed[part].astype(np.float64)
        curriculum.observe(
            Observations.of_rollouts(prompt[part], rewards, passed[part], answered[part])
        )


def _check_resume(make: Callable[[], Sampler], prompts: Prompts) -> None:
    """Stopped anywhere, a run goes on as if it had not been."""
    epoch = len(_curriculum(make, prompts))
    for taken in (0, 5, BATCH, 3 * BATCH + 7, epoch - 1, epoch, epoch + 40):
        whole = _curriculum(make, prompts)
        _take(whole, taken)
        state = pickle.loads(pickle.dumps(whole.state_dict()))
        resumed = _curriculum(make, prompts)
        resumed.load_state_dict(state)
        for curriculum in (whole, resumed):
            iter(curriculum)  # loaders ask for it twice
        late = list(range(0, len(prompts), 9))
        for curriculum in (whole, resumed):
            _feed_back(curriculum, late, taken, reward=-1)
        same = _drive(whole, 15, 1, first=50) == _drive(resumed, 15, 1, first=50)
        assert same, f"after {taken} draws, what was saved is not all that counts"
        again = [_plain(each.state_dict()) for each in (whole, resumed)]
        assert again[0] == again[1], f"after {taken} draws, resumed runs reach another state"


def _take(curriculum: Curriculum, count: int) -> None:
    batch: list[int] = []
    while count > len(batch):
        batch += islice(curriculum, min(BATCH, count - len(batch)))
        if len(batch) >= BATCH:
            _feed_back(curriculum, batch[:BATCH], count, reward=-1)
            batch, count = batch[BATCH:], count - BATCH


def _check_state(make: Callable[[], Sampler], prompts: Prompts) -> None:
    curriculum = _curriculum(make, prompts)
    _drive(curriculum, 12, lag=1)
    before = json.dumps(_plain(curriculum.state_dict()))
    saved = curriculum.state_dict()
    _drive(curriculum, 3, lag=0)
    assert json.dumps(_plain(saved)) == before, "what was saved changes when the run goes on"
    for name, value in curriculum.metrics().items():
        assert isinstance(name, str) and math.isfinite(value), f"metrics: {name}={value}"


def _check_nothing_starves(
    make: Callable[[], Sampler], prompts: Prompts, reward: float | None
) -> None:
    batches = math.ceil(12 * len(prompts) / (RAILS.floor * BATCH))
    seen = _drive(_curriculum(make, prompts), batches, lag=0, reward=reward)
    missing = len(prompts) - len({each for batch in seen for each in batch})
    assert not missing, f"{missing} prompts never come up in {batches} batches, floor or not"


def _plain(state: Any) -> Any:
    """JSON values of a state, arrays as lists; raises AssertionError where it has anything else."""
    if isinstance(state, dict):
        assert all(isinstance(key, str) for key in state), f"keys must be strings: {list(state)}"
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        assert state.dtype != object, "arrays must hold numbers"
        return state.tolist()
    if isinstance(state, list | tuple):
        return [_plain(each) for each in state]
    known = state is None or isinstance(state, str | bool | int | float)
    assert known, f"a state holds JSON values and arrays, not {type(state).__name__}"
    return state


def _check_assignment(bucketer: Bucketer, metrics: Metrics) -> Integers:
    names = bucketer.names_
    assert names and len(set(names)) == len(names), f"names_ must differ: {names}"
    assert all(isinstance(name, str) for name in names), f"names_ must be strings: {names}"
    assigned = bucketer.assign(metrics)
    assert assigned.shape == (len(metrics),), f"shape {assigned.shape}, not ({len(metrics)},)"
    assert assigned.dtype.kind == "i", f"assign gives indices, not {assigned.dtype}"
    inside = (assigned >= 0) & (assigned < len(names))
    assert inside.all(), f"indices must lie in 0..{len(names) - 1}"
    return assigned


def _through_json(edges: Any) -> Any:
    try:
        return json.loads(json.dumps(edges, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"edges_ are not JSON: {error}") from error


def _check_equal(got: Floats, wanted: float, message: str) -> None:
    assert np.allclose(got, wanted, rtol=0, atol=1e-12, equal_nan=True), message


def _binary_groups(problems: int) -> list[list[float]]:
    """Groups of 8 to 16 rollouts from never to always right, many of them tied."""
    rng = np.random.default_rng(1)
    rates = np.clip(rng.uniform(-0.3, 1.3, problems), 0, 1)
    sizes = rng.integers(8, 17, problems)
    return [(rng.random(n) < p).astype(float).tolist() for n, p in zip(sizes, rates, strict=True)]
