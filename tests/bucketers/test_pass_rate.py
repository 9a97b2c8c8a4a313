"""Absolute cuts of the pass rate, at their edges above all."""

import numpy as np
import pytest

from curriculum.bucketers import PassRate
from curriculum.config.build import build
from curriculum.testing import make_metrics


def passing(c: int, n: int) -> list[float]:
    return [1.0] * c + [0.0] * (n - c)


def labels(bucketer, metrics) -> list[str]:
    return [bucketer.names_[bucket] for bucket in bucketer.fit(metrics).assign(metrics)]


@pytest.fixture
def bucketer(composed_values):
    """The bucketer under a convention."""

    def bucketer(convention: str):
        cfg = composed_values(f"convention={convention}", "bucketer=pass_rate")
        return build(cfg, "bucketer")

    return bucketer


@pytest.mark.parametrize("convention", ["standard", "bucket_rollouts"])
def test_rates_of_80_50_and_20_percent_belong_to_the_easier(bucketer, convention):
    metrics = make_metrics([passing(c, 10) for c in range(10, -1, -1)])
    by_tenths = ["easy"] * 3 + ["medium"] * 3 + ["hard"] * 3 + ["very_hard"] * 2
    assert labels(bucketer(convention), metrics) == by_tenths


@pytest.mark.parametrize("n", range(5, 101, 5))
def test_four_fifths_are_the_edge_whatever_n(n):
    metrics = make_metrics([passing(n * 4 // 5, n), passing(n * 4 // 5 - 1, n)])
    assert PassRate([0.8], None, True).fit(metrics).assign(metrics).tolist() == [0, 1]
    assert PassRate([0.8], None, False).fit(metrics).assign(metrics).tolist() == [1, 1]


@pytest.mark.parametrize("n", [3, 6, 9, 300])
def test_a_third_is_an_edge_too(n):
    metrics = make_metrics([passing(n // 3, n), passing(n // 3 - 1, n)])
    assert PassRate([1 / 3], None, True).fit(metrics).assign(metrics).tolist() == [0, 1]


def test_analyze_rollouts_takes_none_right_for_very_hard_and_edges_for_harder(bucketer):
    passes = [0, 1, 25, 26, 50, 51, 75, 76, 100]
    metrics = make_metrics([passing(c, 100) for c in passes])
    assert labels(bucketer("analyze_rollouts"), metrics) == [
        "very_hard",
        *["hard"] * 2,
        *["medium"] * 2,
        *["easy"] * 2,
        *["very_easy"] * 2,
    ]


def test_all_right_of_one_sample_is_very_easy_in_analyze_rollouts(bucketer):
    assert labels(bucketer("analyze_rollouts"), make_metrics([[1.0], [0.0]])) == [
        "very_easy",
        "very_hard",
    ]


def test_a_reward_of_a_half_passes(bucketer):
    assert labels(bucketer("standard"), make_metrics([[0.5], [0.49]])) == ["easy", "very_hard"]


def test_cuts_do_not_move_with_the_problems():
    fitted = PassRate([0.8, 0.5, 0.2], None, True).fit(make_metrics([[0.0]] * 9))
    rates = np.random.default_rng(0).integers(0, 9, 50)
    expected = [3 - sum(rate / 8 >= edge for edge in (0.8, 0.5, 0.2)) for rate in rates]
    assert fitted.assign(make_metrics([passing(c, 8) for c in rates])).tolist() == expected
