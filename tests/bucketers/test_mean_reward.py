"""Cuts of the mean reward at given rewards, or quartiles of it."""

from itertools import permutations

import pytest

from curriculum.bucketers import MeanReward
from curriculum.config.build import build
from curriculum.core.records import Buckets
from curriculum.testing import make_metrics


@pytest.fixture
def cut(composed_values):
    """Groups of rewards in the buckets of a convention."""

    def cut(convention: str, groups) -> Buckets:
        cfg = composed_values(f"convention={convention}", "bucketer=mean_reward")
        bucketer = build(cfg, "bucketer")
        metrics = make_metrics(groups)
        assigned = bucketer.fit(metrics).assign(metrics)
        return Buckets(bucketer.names_, assigned)

    return cut


@pytest.mark.parametrize("convention", ["standard", "bucket_rollouts"])
def test_means_of_075_050_and_025_belong_to_the_easier(cut, convention):
    means = [1.5, 0.75, 0.7499, 0.5, 0.4999, 0.25, 0.2499, 0.0, -1.0]
    assert cut(convention, [[mean] for mean in means]).labels().to_pylist() == [
        *["easy"] * 2,
        *["medium"] * 2,
        *["hard"] * 2,
        *["very_hard"] * 3,
    ]


def test_mean_of_several_rewards_stands_at_an_edge(cut):
    groups = [[1, 1, 1, 0], [0.9, 0.6], [0.7, 0.3], [1, 0, 0, 0], [0.1, 0.2, 0.45]]
    labels = cut("standard", groups).labels().to_pylist()
    assert labels == ["easy", "easy", "medium", "hard", "hard"]


def test_analyze_rollouts_cuts_quartiles(cut):
    groups = [[i / 40, i / 20] for i in range(40)]
    buckets = cut("analyze_rollouts", groups)
    assert buckets.names == ["easy", "medium", "hard", "very_hard"]
    assert buckets.assignment.tolist() == [3] * 10 + [2] * 10 + [1] * 10 + [0] * 10


def test_quartiles_of_another_set_stay_where_they_are():
    fitted = MeanReward(None, ["top", "rest"]).fit(make_metrics([[0.0], [0.2], [0.6], [1.0]]))
    assert fitted.assign(make_metrics([[0.7], [0.59], [0.0]])).tolist() == [0, 1, 1]


@pytest.mark.parametrize("group", list(permutations([0.1, 0.2, 0.3])))
def test_order_of_summation_moves_no_mean_from_an_edge(group):
    metrics = make_metrics([group])
    assert MeanReward([0.2], None).fit(metrics).assign(metrics).tolist() == [0]


def test_edges_need_not_be_short_decimals():
    metrics = make_metrics([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert MeanReward([2 / 3, 1 / 3], None).fit(metrics).assign(metrics).tolist() == [0, 0, 1, 2]
