"""Absolute cuts of whichever metric is chosen."""

import dataclasses

import pytest

from curriculum.bucketers import Threshold
from curriculum.testing import make_metrics

SCORES = [0.0, 0.3, 0.3001, 0.7, 0.7001, 1.0]
LOW_TO_HIGH = ["low", "low", "medium", "medium", "high", "high"]


def scored(scores, column):
    """Problems whose chosen metric has these values."""
    rewards = scores if column == "mean_reward" else [1 - score for score in scores]
    return dataclasses.replace(make_metrics([[reward] for reward in rewards]), chosen=column)


def labels(bucketer, metrics) -> list[str]:
    return [bucketer.names_[bucket] for bucket in bucketer.fit(metrics).assign(metrics)]


@pytest.mark.parametrize(
    ("column", "easy_to_hard"),
    [
        ("mean_reward", ["high", "medium", "low"]),
        ("difficulty_score", ["low", "medium", "high"]),
    ],
)
def test_names_are_given_by_score_and_learned_from_easy_to_hard(column, easy_to_hard):
    bucketer = Threshold([0.3, 0.7], ["low", "medium", "high"])
    assert labels(bucketer, scored(SCORES, column)) == LOW_TO_HIGH
    assert bucketer.names_ == easy_to_hard


@pytest.mark.parametrize(("column", "low_score"), [("mean_reward", 2), ("difficulty_score", 0)])
def test_usual_names_follow_the_difficulty(column, low_score):
    bucketer = Threshold([0.3, 0.7], None)
    metrics = scored(SCORES, column)
    assigned = bucketer.fit(metrics).assign(metrics)
    assert bucketer.names_ == ["easy", "medium", "hard"]
    high_score = 2 - low_score
    assert assigned.tolist() == [low_score] * 2 + [1] * 2 + [high_score] * 2


def test_an_infinite_score_is_above_every_threshold():
    metrics = dataclasses.replace(make_metrics([[0.0], [0.5]]), chosen="inverse_mean")
    assert labels(Threshold([2, 100], ["low", "medium", "high"]), metrics) == ["high", "low"]


def test_rewards_below_zero_have_cuts_too():
    metrics = make_metrics([[-2.0], [-1.0], [0.0]])
    assert labels(Threshold([-1], ["low", "high"]), metrics) == ["low", "low", "high"]


def test_cuts_do_not_move_with_the_problems():
    fitted = Threshold([0.3, 0.7], None).fit(scored([0.9] * 5, "mean_reward"))
    assert fitted.assign(scored(SCORES, "mean_reward")).tolist() == [2, 2, 1, 1, 0, 0]


def test_thresholds_need_not_be_short_decimals():
    metrics = make_metrics([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    bucketer = Threshold([1 / 3, 2 / 3], ["low", "medium", "high"])
    assert labels(bucketer, metrics) == ["low", "low", "medium", "high"]
