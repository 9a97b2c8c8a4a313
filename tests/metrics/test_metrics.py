"""Metrics against a loop over problems, and the names that their columns get."""

import dataclasses
import functools
import math
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import fmean, pstdev, pvariance
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import beta

from curriculum.config.build import build
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.records import Problems
from curriculum.metrics import (
    DifficultyScore,
    InverseMean,
    MaxReward,
    MeanAtK,
    MeanReward,
    Measure,
    Metric,
    MinReward,
    PassAtK,
    PassRate,
    StdReward,
    UnbiasedPassAtK,
    Variance,
    measure,
)
from curriculum.testing import STANDARD, check_metric, make_metrics, make_problems, make_rewards

OPTIONS = sorted(path.stem for path in (conf_dir() / "metric").glob("*.yaml"))


def ragged_groups() -> list[list[float]]:
    """1 to 10 rewards each: graded ones that often stand at 0 and 0.5, and real numbers."""
    rng = np.random.default_rng(7)
    graded = [rng.choice([-0.5, 0, 0.25, 0.5, 0.75, 1], rng.integers(1, 11)) for _ in range(60)]
    real = [rng.normal(0.2, 1, rng.integers(1, 11)) for _ in range(60)]
    return [group.tolist() for group in graded + real]


def best(group: list[float], k: int) -> list[float]:
    return sorted(group, reverse=True)[:k]


def share(group: list[float], passes) -> float:
    return sum(map(passes, group)) / len(group)


def any_passes(group: list[float], k: int) -> float:
    return fmean(max(subset) >= 0.5 for subset in combinations(group, k))


BY_HAND = [
    (MeanReward(), fmean),
    (MaxReward(), max),
    (MinReward(), min),
    (Variance(), pvariance),
    (StdReward(), pstdev),
    (DifficultyScore(0.3), lambda group: 1 - fmean(group) + 0.3 * pstdev(group)),
    (DifficultyScore(0), lambda group: 1 - fmean(group)),
    (InverseMean(), lambda group: 1 / fmean(group) if fmean(group) > 0 else math.inf),
    (PassRate(0.5, False, 1), lambda group: share(group, lambda reward: reward >= 0.5)),
    (PassRate(0.5, True, 1), lambda group: share(group, lambda reward: reward > 0.5)),
    (PassRate(0, True, 100), lambda group: 100 * share(group, lambda reward: reward > 0)),
    (PassRate(-0.5, False, 100), lambda group: 100 * share(group, lambda reward: reward >= -0.5)),
    (MeanAtK(1), max),
    (MeanAtK(3), lambda group: fmean(best(group, 3)) if len(group) >= 3 else math.nan),
    (PassAtK(None, 0.5), lambda group: share(group, lambda reward: reward >= 0.5)),
    (
        PassAtK(4, 0.5),
        lambda group: (
            share(best(group, 4), lambda reward: reward >= 0.5) if len(group) >= 4 else math.nan
        ),
    ),
    (
        UnbiasedPassAtK(3, 0.5, False),
        lambda group: any_passes(group, 3) if len(group) >= 3 else math.nan,
    ),
]


@pytest.mark.parametrize(("metric", "by_hand"), BY_HAND, ids=[str(metric) for metric, _ in BY_HAND])
def test_metric_is_the_loop_over_ragged_groups(metric, by_hand):
    groups = ragged_groups()
    expected = [by_hand(group) for group in groups]
    np.testing.assert_allclose(metric(make_rewards(groups)), expected, rtol=1e-12, atol=1e-12)


def test_difficulty_score_of_mean_085_and_std_012_is_0186():
    rewards = make_rewards([[0.97, 0.73]])
    assert MeanReward()(rewards) == pytest.approx(0.85)
    assert StdReward()(rewards) == pytest.approx(0.12)
    assert DifficultyScore(std_weight=0.3)(rewards) == pytest.approx(0.186)


def test_variance_is_the_population_s():
    assert Variance()(make_rewards([[0, 1], [5], [-1, 1, 1, -1]])) == pytest.approx([0.25, 0, 1])


def test_success_is_strictly_above_a_half_and_in_percent():
    metrics = make_metrics([[0.5, 0.5001, 0.2, 1.0], [0.5]])
    assert metrics["success_rate"].tolist() == [50, 0]
    assert metrics["pass_rate"].tolist() == [0.75, 1]


@pytest.mark.parametrize(
    ("reward", "threshold"),
    [(0.7 - 0.4, 0.3), (0.1 + 0.2, 0.3), (0.7 - 0.2, 0.5), (0.1 + 0.2 - 0.3, 0)],
)
def test_a_reward_at_the_threshold_but_for_rounding_is_at_it(reward, threshold):
    assert reward != threshold
    rewards = make_rewards([[reward, reward, threshold - 1e-9], [threshold + 1e-9]])
    at = [PassRate(threshold, False, 1), UnbiasedPassAtK(1, threshold, False)]
    for metric in [*at, PassAtK(None, threshold)]:
        assert metric(rewards) == pytest.approx([2 / 3, 1])
    for metric in (PassRate(threshold, True, 1), UnbiasedPassAtK(1, threshold, True)):
        assert metric(rewards).tolist() == [0, 1]
    config = dataclasses.replace(STANDARD, threshold=threshold)
    measured = measure(make_problems(2), rewards, config, MeanReward(), "mean_reward")
    assert measured["c"].tolist() == [2, 1]


def test_success_and_pass_at_k_round_like_the_threshold_of_a_run():
    metrics = make_metrics([[0.7 - 0.2], [0.2 + 0.3 + 1e-16]])
    assert metrics["success_rate"].tolist() == [0, 0]
    assert metrics["pass_at_k"].tolist() == [1, 1]


def test_pass_at_k_is_a_share_of_the_highest_rewards():
    rewards = make_rewards([[0.5, 0.0, 0.9, 0.1]])
    assert [PassAtK(k, 0.5)(rewards)[0] for k in (1, 2, 4, None)] == [1, 1, 0.5, 0.5]
    assert PassAtK(3, 0.5)(rewards) == pytest.approx(2 / 3)
    assert np.isnan(PassAtK(5, 0.5)(rewards)).all()


def test_inverse_mean_is_infinite_unless_the_mean_is_positive():
    rewards = make_rewards([[0, 0], [-1, 1], [-1], [0.25, 0.75]])
    assert InverseMean()(rewards).tolist() == [math.inf, math.inf, math.inf, 2]


@pytest.mark.parametrize("group", list(permutations([0.1, 0.2, -0.3])))
def test_inverse_mean_is_infinite_where_rewards_cancel_in_any_order(group):
    assert InverseMean()(make_rewards([group])).tolist() == [math.inf]


def test_negative_rewards_keep_their_sign():
    metrics = make_metrics([[-1.0, -2.0, -0.5], [-1.0, 0.5, 0.5]])
    assert metrics["max_reward"].tolist() == [-0.5, 0.5]
    assert metrics["min_reward"].tolist() == [-2, -1]
    assert metrics["mean@1"].tolist() == [-0.5, 0.5]
    assert metrics["mean@3"] == pytest.approx([-3.5 / 3, 0])
    assert metrics["difficulty_score"] == pytest.approx(
        [1 + 3.5 / 3 + 0.3 * pstdev([-1, -2, -0.5]), 1 + 0.3 * math.sqrt(0.5)]
    )


def test_only_spread_and_inverse_make_lower_the_easier():
    easier = make_metrics([[1.0]]).easier
    lower = {name for name, direction in easier.items() if direction == "lower"}
    assert lower == {"variance", "std_reward", "difficulty_score", "inverse_mean"}
    assert {"mean_reward", "max_reward", "min_reward", "pass_rate"} <= set(easier) - lower
    assert {"pass_at_k", "success_rate", "mean@5", "pass@8"} <= set(easier) - lower


@pytest.mark.parametrize("name", ["mean_reward", "inverse_mean"])
def test_hardness_is_higher_for_the_harder(name):
    hardness = make_metrics([[0.25], [1.0], [0.5]]).hardness(name)
    assert np.argsort(hardness).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("metric", "option", "column"),
    [
        (MeanReward(), "mean_reward", "mean_reward"),
        (MeanAtK(5), "mean_at_k", "mean@5"),
        (MeanAtK(7), "mean_at_k", "mean@7"),
        (PassRate(0.5, False, 1), "pass_rate", "pass_rate"),
        (PassRate(0, True, 100), "pass_rate", "pass_rate_as_chosen"),
        (PassRate(0.5, True, 100), "success_rate", "success_rate"),
        (PassRate(0.9, True, 100), "success_rate", "success_rate_as_chosen"),
        (DifficultyScore(0.3), "difficulty_score", "difficulty_score"),
        (DifficultyScore(1), "difficulty_score", "difficulty_score_as_chosen"),
        (PassAtK(None, 0.5), "pass_at_k", "pass_at_k"),
        (PassAtK(None, 0.9), "pass_at_k", "pass_at_k_as_chosen"),
        (PassAtK(4, 0.5), "pass_at_k", "pass_at_4"),
        (UnbiasedPassAtK(8, 0.5, False), "unbiased_pass_at_k", "pass@8"),
        (UnbiasedPassAtK(8, 0.5, True), "unbiased_pass_at_k", "pass@8_as_chosen"),
        (UnbiasedPassAtK(2, 0.5, False), "unbiased_pass_at_k", "pass@2"),
        (MeanReward(), "from_a_plugin", "from_a_plugin"),
    ],
)
def test_chosen_metric_has_the_standard_column_or_one_of_its_own(metric, option, column):
    groups = [[0.5, 0.6, 0.0, 1.0, 0.2, 0.3, 0.4, 0.95, 0.5], [0.5] * 8]
    rewards = make_rewards(groups)
    metrics = measure(make_problems(2), rewards, STANDARD, metric, option)
    assert metrics.chosen == column
    assert metrics.easier[column] == metric.easier
    np.testing.assert_array_equal(metrics[column], metric(rewards))
    standard = make_metrics(groups)
    assert set(metrics.columns) == set(standard.columns) | {column}
    for name, values in standard.columns.items():
        np.testing.assert_array_equal(metrics[name], values)


@pytest.mark.parametrize("convention", ["standard", "analyze_rollouts", "bucket_rollouts"])
@pytest.mark.parametrize("option", OPTIONS)
def test_options_as_they_stand_are_standard_columns(composed_values, option, convention):
    cfg = composed_values(f"metric={option}", f"convention={convention}")
    config = Measure(**cfg["measure"])
    metrics = measure(
        make_problems(1), make_rewards([[0, 1] * 5]), config, build(cfg, "metric"), option
    )
    assert metrics.chosen in {*config.standard(), option}  # never a second column of one


def test_posterior_columns_are_shares_of_what_passes():
    config = dataclasses.replace(STANDARD, threshold=0, strict=True, scale=100)
    rewards = make_rewards([[0, 0.1, 1, -1], [0], [2, 3]])
    metrics = measure(make_problems(3), rewards, config, MeanReward(), "mean_reward")
    assert metrics["n"].tolist() == [4, 1, 2]
    assert metrics["c"].tolist() == [2, 0, 2]
    assert metrics["pass_rate"].tolist() == [50, 0, 100]
    posterior = beta(0.5 + metrics["c"], 0.5 + metrics["n"] - metrics["c"])
    assert metrics["pass_rate_mean"] == pytest.approx(posterior.mean())
    ends = zip(metrics["pass_rate_low"], metrics["pass_rate_high"], strict=True)
    by_hand = [beta(2.5, 2.5).ppf([0.05, 0.95]), (0, beta(0.5, 1.5).ppf(0.9))]
    by_hand.append((beta(2.5, 0.5).ppf(0.1), 1))
    assert np.array(list(ends)) == pytest.approx(np.array(by_hand))


def test_without_a_prior_each_source_has_one_of_its_own():
    groups = (
        [[1.0] * 8] * 30 + [[1.0] * 7 + [0.0]] * 10 + [[0.0] * 8] * 30 + [[0.0] * 7 + [1.0]] * 10
    )
    table = make_problems(80).table
    sources = pa.array(["easy"] * 40 + ["hard"] * 40)
    place = table.column_names.index("data_source")
    problems = Problems(table.set_column(place, table.schema.field("data_source"), sources))
    config = dataclasses.replace(STANDARD, prior=None)
    metrics = measure(problems, make_rewards(groups), config, MeanReward(), "mean_reward")
    # 39 in 40 rollouts pass in one source, so a failure in 8 is bad luck more than a lower rate.
    assert metrics["pass_rate_mean"][30] > 7 / 8
    assert metrics["pass_rate_mean"][30] == pytest.approx(
        1 - metrics["pass_rate_mean"][70], abs=1e-3
    )


def test_problem_ids_follow_the_measured_problems():
    rewards = dataclasses.replace(make_rewards([[1], [0]]), problem=np.array([4, 1]))
    metrics = measure(make_problems(5), rewards, STANDARD, MeanReward(), "mean_reward")
    assert metrics.table().select(["problem_id", "mean_reward"]).to_pylist() == [
        {"problem_id": "p4", "mean_reward": 1},
        {"problem_id": "p1", "mean_reward": 0},
    ]


def test_table_has_null_where_a_metric_is_undefined():
    table = make_metrics([[1.0, 0.0], [1.0, 0.5, 0.0, 0.5]]).table()
    assert table["mean@3"].to_pylist() == [None, pytest.approx(2 / 3)]
    assert table["pass@4"].to_pylist() == [None, 1]
    assert table["mean@5"].null_count == 2
    assert table["mean_reward"].null_count == 0


def test_table_keeps_infinity_and_has_counts_as_integers():
    table = make_metrics([[0.0], [1.0, 1.0]]).table()
    assert table["inverse_mean"].to_pylist() == [math.inf, 1]
    assert table.schema.field("n").type == table.schema.field("c").type == pa.int64()
    assert table.select(["n", "c"]).to_pylist() == [{"n": 1, "c": 0}, {"n": 2, "c": 2}]


def test_comparing_by_an_undefined_metric_names_it_and_n():
    metrics = make_metrics([[1.0] * 5, [1.0] * 4, [0.0] * 4])
    with pytest.raises(UserError, match=r"'mean@5' is undefined for 2 of 3 .* n=4 "):
        metrics.complete("mean@5")


def test_unknown_metric_names_those_there_are():
    with pytest.raises(UserError, match=r"no metric 'nope'.*mean_reward.*pass@8"):
        make_metrics([[1.0]])["nope"]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_keeps_the_contract(composed_values, option):
    check_metric(functools.partial(build, composed_values(f"metric={option}"), "metric"))


@dataclass(frozen=True)
class Mean(Metric):
    easier: ClassVar[Any] = "higher"  # Any, as NoDirection breaks the type

    def __call__(self, rewards):
        return rewards.sum(rewards.values) / rewards.counts


class First(Mean):
    def __call__(self, rewards):
        return rewards.values[rewards.offsets[:-1]]


class AboveTheOthers(Mean):
    def __call__(self, rewards):
        mean = super().__call__(rewards)
        return mean - mean.mean()


class RankAmongFew(Mean):
    """Right for one problem and for all four, wrong for parts of them."""

    def __call__(self, rewards):
        return super().__call__(rewards) + (1 < len(rewards) < 4)


class OneARollout(Mean):
    def __call__(self, rewards):
        return rewards.values


class WholeNumbers(Mean):
    def __call__(self, rewards):
        return rewards.counts


class NoDirection(Mean):
    easier = "harder"


def test_check_passes_a_sound_metric():
    check_metric(Mean)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (First, "order of rewards"),
        (AboveTheOthers, "company"),
        (RankAmongFew, "company"),
        (OneARollout, "shape"),
        (WholeNumbers, "dtype"),
        (NoDirection, "easier"),
    ],
)
def test_check_fails_a_broken_metric(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_metric(broken)
