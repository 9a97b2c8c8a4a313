"""Clusters of problems, in order of their difficulty."""

import json
import logging

import numpy as np
import pytest

from curriculum.bucketers import Adaptive
from curriculum.core.errors import UserError
from curriculum.testing import make_metrics

FEATURES = ["mean_reward", "std_reward", "pass_rate", "difficulty_score"]


def adaptive(n, *, names=None, features=FEATURES, order_by="difficulty_score", seed=0):
    return Adaptive(n, names, features, order_by, seed)


def blobs() -> tuple[list[list[float]], np.ndarray]:
    """Problems that are always, half the time and never right, but for a little noise."""
    rng = np.random.default_rng(5)
    level = rng.integers(0, 3, 90)
    center = np.array([[0.9] * 4, [0.9, 0.9, 0.1, 0.1], [0.1] * 4])[level]
    return (center + rng.uniform(-0.05, 0.05, center.shape)).tolist(), level


def mixed(problems: int) -> list[list[float]]:
    return np.random.default_rng(2).uniform(-0.5, 1, (problems, 6)).tolist()


@pytest.mark.parametrize("order_by", ["mean_reward", "difficulty_score", "inverse_mean"])
def test_finds_the_blobs_and_orders_them(order_by):
    groups, level = blobs()
    metrics = make_metrics(groups)
    bucketer = adaptive(3, order_by=order_by).fit(metrics)
    assert bucketer.names_ == ["easy", "medium", "hard"]
    assert bucketer.assign(metrics).tolist() == level.tolist()


def test_scale_of_a_feature_does_not_matter():
    groups, level = blobs()
    metrics = make_metrics(groups)
    bucketer = adaptive(3, features=["std_reward", "success_rate"], order_by="mean_reward")
    assert bucketer.fit(metrics).assign(metrics).tolist() == level.tolist()


@pytest.mark.parametrize("order_by", ["mean_reward", "difficulty_score"])
@pytest.mark.parametrize("n", range(1, 9))
def test_any_number_of_clusters_is_in_order(n, order_by):
    metrics = make_metrics(mixed(60))
    bucketer = adaptive(n, order_by=order_by).fit(metrics)
    assigned = bucketer.assign(metrics)
    assert len(bucketer.names_) == n
    assert set(assigned) == set(range(n))
    means = [metrics[order_by][assigned == bucket].mean() for bucket in range(n)]
    assert means == sorted(means, reverse=order_by == "mean_reward")


def test_fewer_different_problems_than_clusters_are_fewer_buckets(caplog):
    metrics = make_metrics([[1, 1], [0, 1], [1, 1], [1, 0], [1, 1]])
    with caplog.at_level(logging.WARNING):
        bucketer = adaptive(4).fit(metrics)
    assert bucketer.assign(metrics).tolist() == [0, 1, 0, 1, 0]
    assert bucketer.names_ == ["easy", "very_hard"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "2 buckets, not 4" in caplog.text


def test_enough_different_problems_are_no_warning(caplog):
    with caplog.at_level(logging.WARNING):
        adaptive(4).fit(make_metrics(mixed(4)))
    assert not caplog.records


def test_one_problem_is_one_bucket():
    metrics = make_metrics([[1.0, 0.0]])
    assert adaptive(3).fit(metrics).assign(metrics).tolist() == [0]


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_own_seed_decides_not_the_global_one(seed):
    metrics = make_metrics(mixed(200))
    np.random.seed(1)
    first = adaptive(6, seed=seed).fit(metrics).edges_
    np.random.seed(2)
    assert adaptive(6, seed=seed).fit(metrics).edges_ == first


def test_clusters_of_one_set_take_in_another():
    groups, _ = blobs()
    fitted = adaptive(3).fit(make_metrics(groups))
    restored = adaptive(3)
    restored.names_, restored.edges_ = fitted.names_, json.loads(json.dumps(fitted.edges_))
    other = make_metrics([[0, 0.1, 0, 0], [1, 1, 0.9, 1], [1, 0, 1, 0]])
    assert restored.assign(other).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("features", "order_by", "words"),
    [
        (["nope"], "mean_reward", "no metric 'nope'"),
        (["mean_reward"], "nope", "no metric 'nope'"),
        (["mean_reward"], "n", "'n' says nothing about difficulty"),
        (["mean_reward", "inverse_mean"], "mean_reward", "inverse_mean"),
    ],
)
def test_metrics_it_cannot_use_are_a_user_error(features, order_by, words):
    with pytest.raises(UserError, match=words):
        adaptive(2, features=features, order_by=order_by).fit(make_metrics([[0.0], [1.0], [0.5]]))
