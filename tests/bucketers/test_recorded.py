"""Buckets as the data has them, easy to hard."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from curriculum.bucketers import Recorded
from curriculum.core.errors import UserError
from curriculum.testing import make_metrics


def in_buckets(rewards, column="mean_reward"):
    """Metrics of {bucket: mean rewards of its problems}, the problems of buckets mixed."""
    pairs = [(name, reward) for name, group in rewards.items() for reward in group]
    pairs = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))]
    metrics = make_metrics([[reward] for _, reward in pairs])
    recorded = pa.array([name for name, _ in pairs], pa.string())
    return dataclasses.replace(metrics, recorded=recorded, chosen=column)


def labels(bucketer, metrics):
    return [bucketer.names_[i] for i in bucketer.assign(metrics)]


@pytest.mark.parametrize(
    "names",
    [
        ["easy", "medium", "hard"],
        ["very_easy", "easy", "medium", "hard", "very_hard"],
        ["easy", "medium-easy", "medium-hard", "hard"],
        ["easy", "hard", "very_hard"],
        ["hard"],
    ],
)
def test_usual_names_run_in_their_usual_order_whatever_the_rewards(names):
    metrics = in_buckets({name: [i / 9, 0.5] for i, name in enumerate(names)})
    bucketer = Recorded(None).fit(metrics)
    assert bucketer.names_ == names
    assert labels(bucketer, metrics) == metrics.recorded.to_pylist()


def test_other_names_run_by_mean_hardness():
    metrics = in_buckets({"a": [0.5] * 6, "z": [1.0, 0.6], "m": [0.0, 0.1]})
    assert Recorded(None).fit(metrics).names_ == ["z", "a", "m"]


def test_one_other_name_among_usual_ones_turns_all_to_hardness():
    metrics = in_buckets({"easy": [0.0], "hard": [0.5], "odd": [1.0]})
    assert Recorded(None).fit(metrics).names_ == ["odd", "hard", "easy"]


def test_hardness_is_the_chosen_metric_s_in_its_direction():
    rewards = {"a": [[0.5, 0.5]], "b": [[0.0, 1.0]], "c": [[0.5, 0.7]]}
    metrics = make_metrics([group for groups in rewards.values() for group in groups])
    metrics = dataclasses.replace(metrics, recorded=pa.array(list(rewards)))
    assert Recorded(None).fit(dataclasses.replace(metrics, chosen="variance")).names_ == [
        "a",
        "c",
        "b",
    ]
    assert Recorded(None).fit(dataclasses.replace(metrics, chosen="max_reward")).names_ == [
        "b",
        "c",
        "a",
    ]


def test_equally_hard_buckets_run_by_name():
    metrics = in_buckets({"c": [0.5], "a": [0.0, 1.0], "b": [0.5, 0.5]})
    for order in (np.arange(5), np.arange(5)[::-1]):
        assert Recorded(None).fit(metrics.take(order)).names_ == ["a", "b", "c"]


def test_names_given_say_the_order():
    metrics = in_buckets({"easy": [1.0], "medium": [0.5], "hard": [0.0]})
    bucketer = Recorded(["hard", "easy", "medium"]).fit(metrics)
    assert bucketer.names_ == ["hard", "easy", "medium"]
    assert labels(bucketer, metrics) == metrics.recorded.to_pylist()


def test_the_order_of_the_data_goes_before_that_of_hardness_and_names_before_both():
    metrics = in_buckets({"a": [1.0], "z": [0.5], "m": [0.0]})
    metrics = dataclasses.replace(metrics, recorded_order=["m", "a", "z"])
    assert Recorded(None).fit(metrics).names_ == ["m", "a", "z"]
    assert Recorded(None).fit(metrics.take(np.array([2, 0, 1]))).names_ == ["m", "a", "z"]
    assert Recorded(["z", "m", "a"]).fit(metrics).names_ == ["z", "m", "a"]
    assert Recorded(None).wants_recorded_order and not Recorded(["a"]).wants_recorded_order


def test_a_name_without_problems_is_an_empty_bucket():
    metrics = in_buckets({"low": [0.0], "high": [1.0]})
    assigned = Recorded(["high", "between", "low"]).fit(metrics).assign(metrics)
    assert sorted(assigned.tolist()) == [0, 2]


def test_a_bucket_that_the_names_lack_is_an_error_that_says_which():
    metrics = in_buckets({"easy": [1.0], "medium": [0.5], "hard": [0.0]})
    with pytest.raises(UserError, match=r"buckets hard too; bucketer.names=\['easy', 'medium'\]"):
        Recorded(["easy", "medium"]).fit(metrics).assign(metrics)


@pytest.mark.parametrize("names", [["a", "a"], ["a/b"]], ids=str)
def test_names_that_can_t_be_are_an_error(names):
    with pytest.raises(UserError, match=r"bucketer\.names"):
        Recorded(names)


def test_data_without_buckets_is_an_error_that_says_what_has_them():
    metrics = dataclasses.replace(make_metrics([[0.0], [1.0]]), recorded=None)
    with pytest.raises(UserError, match="data=buckets"):
        Recorded(None).fit(metrics)


def test_edges_survive_json_and_put_other_problems_in_the_same_buckets():
    metrics = in_buckets({"a": [0.5], "z": [1.0], "m": [0.0]})
    fitted = Recorded(None).fit(metrics)
    other = in_buckets({"m": [1.0, 1.0], "a": [0.0]})
    restored = Recorded(None)
    restored.edges_, restored.names_ = json.loads(json.dumps([fitted.edges_, fitted.names_]))
    assert restored.names_ == ["z", "a", "m"]
    assert labels(restored, other) == other.recorded.to_pylist()


def test_the_order_of_problems_changes_nothing():
    metrics = in_buckets({"a": [0.5, 0.25], "z": [1.0, 0.75], "m": [0.0, 0.1]})
    order = np.random.default_rng(1).permutation(len(metrics))
    assert Recorded(None).fit(metrics.take(order)).names_ == Recorded(None).fit(metrics).names_
    assigned = Recorded(None).fit(metrics).assign(metrics)
    turned = Recorded(None).fit(metrics.take(order)).assign(metrics.take(order))
    assert turned.tolist() == assigned[order].tolist()
