"""Equal shares by rank, whatever ties."""

import dataclasses

import numpy as np
import pytest

from curriculum.bucketers import Percentile
from curriculum.config.build import build
from curriculum.core.records import Buckets
from curriculum.metrics import Measure, measure
from curriculum.testing import make_metrics, make_problems, make_rewards


def ranked(groups, column, n, names=None):
    metrics = dataclasses.replace(make_metrics(groups), chosen=column)
    bucketer = Percentile(n, names).fit(metrics)
    return Buckets(bucketer.names_, bucketer.assign(metrics))


@pytest.mark.parametrize("distinct", [10_000, 3, 1])
def test_ten_thousand_problems_in_three_are_3334_3333_3333(distinct):
    groups = [[i % distinct / distinct] for i in range(10_000)]
    sizes = ranked(groups, "mean_reward", 3).sizes()
    assert sizes == {"easy": 3334, "medium": 3333, "hard": 3333}


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("problems", [11, 30, 47])
def test_sizes_differ_by_one_at_most_and_larger_come_first(problems, n):
    groups = np.random.default_rng(n).integers(0, 2, (problems, 4)).tolist()
    small, larger = divmod(problems, n)
    sizes = list(ranked(groups, "mean_reward", n).sizes().values())
    assert sizes == [small + 1] * larger + [small] * (n - larger)


def test_more_buckets_than_problems_leave_the_last_empty():
    assert list(ranked([[0.0], [1.0]], "mean_reward", 4).sizes().values()) == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        ("mean_reward", -1),
        ("max_reward", -1),
        ("success_rate", -1),
        ("mean@3", -1),
        ("variance", 1),
        ("difficulty_score", 1),
        ("inverse_mean", 1),
    ],
)
def test_buckets_run_from_easy_to_hard_in_the_metric_s_direction(column, sign):
    groups = np.random.default_rng(3).choice([0, 0.25, 0.5, 1], (101, 6)).tolist()
    assignment = ranked(groups, column, 4).assignment
    values = sign * make_metrics(groups)[column].round(9)
    for bucket in range(3):
        assert values[assignment == bucket].max() <= values[assignment == bucket + 1].min()


def test_infinite_inverse_means_sort_last():
    groups = [[0.0], [1.0], [-1.0], [0.5], [0.25], [0.01]]
    assert ranked(groups, "inverse_mean", 3).assignment.tolist() == [2, 0, 2, 0, 1, 1]


@pytest.mark.parametrize(
    ("n", "names"),
    [
        (2, ["easy", "hard"]),
        (3, ["easy", "medium", "hard"]),
        (4, ["easy", "medium", "hard", "very_hard"]),
        (5, ["very_easy", "easy", "medium", "hard", "very_hard"]),
    ],
)
def test_usual_names(n, names):
    assert ranked([[0.0]] * 10, "mean_reward", n).names == names


@pytest.mark.parametrize("n", [1, 6, 10])
def test_generated_names_differ(n):
    names = ranked([[0.0]] * 10, "mean_reward", n).names
    assert len(set(names)) == len(names) == n


def test_own_names_run_from_easy_to_hard():
    buckets = ranked([[0.0], [0.5], [1.0]], "mean_reward", 3, ["stage1", "stage2", "stage3"])
    assert buckets.labels().to_pylist() == ["stage3", "stage2", "stage1"]


def test_analyze_rollouts_ranks_by_the_mean_of_the_five_best(composed_values):
    cfg = composed_values("preset=analyze_rollouts")
    groups = [[-9.0, *[i / 8] * 5] for i in range(8)]
    metrics = measure(
        make_problems(8),
        make_rewards(groups),
        Measure(**cfg["measure"]),
        build(cfg, "metric"),
        "mean_at_k",
    )
    bucketer = build(cfg, "bucketer").fit(metrics)
    buckets = Buckets(bucketer.names_, bucketer.assign(metrics))
    assert metrics.chosen == "mean@5"
    assert buckets.labels().to_pylist() == [
        *["hard"] * 2,
        *["medium-hard"] * 2,
        *["medium-easy"] * 2,
        *["easy"] * 2,
    ]


def test_edges_of_one_set_cut_another():
    bucketer = Percentile(2, None).fit(make_metrics([[0.0], [0.25], [0.5], [1.0]]))
    assigned = bucketer.assign(make_metrics([[0.51], [0.49], [7.0], [-7.0], [0.25]]))
    assert assigned.tolist() == [0, 1, 0, 1, 1]
