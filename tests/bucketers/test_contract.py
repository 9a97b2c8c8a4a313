"""What every bucketer promises, and that the check notices one that breaks it."""

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from curriculum.bucketers import (
    Adaptive,
    Bucketer,
    MeanReward,
    PassRate,
    Percentile,
    Recorded,
    Threshold,
)
from curriculum.config.build import build, typed
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.records import Cuts
from curriculum.metrics import Measure
from curriculum.testing import check_bucketer, make_metrics

OPTIONS = sorted(path.stem for path in (conf_dir() / "bucketer").glob("*.yaml"))
CONVENTIONS = sorted(path.stem for path in (conf_dir() / "convention").glob("*.yaml"))
REQUIRED = {"threshold": ["bucketer.thresholds=[0.3,0.7]"]}

BUCKETERS = {
    "percentile": functools.partial(Percentile, 3),
    "pass_rate": PassRate,
    "mean_reward": MeanReward,
    "quartiles": functools.partial(MeanReward, None, ["a", "b", "c", "d"]),
    "threshold": functools.partial(Threshold, [0.2, 0.5, 0.7]),
    "adaptive": Adaptive,
}
every_bucketer = pytest.mark.parametrize("make", BUCKETERS.values(), ids=BUCKETERS)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_keeps_the_contract_under_every_convention(
    composed_values, option, convention
):
    overrides = [f"bucketer={option}", f"convention={convention}", *REQUIRED.get(option, [])]
    cfg = composed_values(*overrides)
    check_bucketer(functools.partial(build, cfg, "bucketer"))


@every_bucketer
@pytest.mark.parametrize("values", [[0.0], [0.0, 1.0], np.linspace(-0.5, 1, 31)])
def test_row_order_moves_nobody(make, values):
    rng = np.random.default_rng(4)
    metrics = make_metrics(rng.choice(values, (80, 5)).tolist())
    assigned = make().fit(metrics).assign(metrics)
    for _ in range(3):
        order = rng.permutation(len(metrics))
        turned = metrics.take(order)
        assert make().fit(turned).assign(turned).tolist() == assigned[order].tolist()


@every_bucketer
def test_order_of_rewards_moves_nobody(make):
    rng = np.random.default_rng(6)
    kinds = [[0.1, 0.2, 0.3], [0.1, 0.7, 0.7], [0.3, 0.9, 0.6, 0.2]]
    groups = [kinds[i % 3] for i in range(60)]
    metrics = make_metrics(groups)
    turned = make_metrics([rng.permutation(group).tolist() for group in groups])
    assert (metrics["mean_reward"] != turned["mean_reward"]).any()
    expected = make().fit(metrics).assign(metrics).tolist()
    assert make().fit(turned).assign(turned).tolist() == expected


@pytest.mark.parametrize(
    "make",
    [
        functools.partial(Percentile, 3, None),
        functools.partial(Threshold, [0.5], None),
        functools.partial(Adaptive, 2, None, ["pass_rate", "mean@5"], "mean_reward", 0),
        functools.partial(Adaptive, 2, None, ["pass_rate"], "mean@5", 0),
    ],
)
def test_too_few_samples_name_the_metric_and_n(make):
    metrics = dataclasses.replace(make_metrics([[0.0, 1.0] * 3, [1.0] * 4]), chosen="mean@5")
    with pytest.raises(UserError, match=r"mean@5.*n=4"):
        make().fit(metrics).assign(metrics)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (functools.partial(Percentile, 3, ["a", "b"]), r"3 different names.*\['a', 'b'\]"),
        (functools.partial(Percentile, 2, ["a", "a"]), "2 different names"),
        (functools.partial(PassRate, [0.8, 0.5], ["a", "b"], True), "3 different names"),
        (functools.partial(PassRate, [0.2, 0.8], None, True), "descending"),
        (functools.partial(PassRate, [0.5, 0.5], None, True), "descending"),
        (functools.partial(PassRate, [], None, True), "descending"),
        (functools.partial(MeanReward, [0.5], ["a"]), "2 different names"),
        (functools.partial(MeanReward, [0.25, 0.5], None), "descending"),
        (functools.partial(MeanReward, None, None), "thresholds or bucketer.names"),
        (functools.partial(Threshold, [0.3, 0.7], ["low", "high"]), "3 different names"),
        (functools.partial(Threshold, [0.7, 0.3], None), "ascending"),
        (functools.partial(Threshold, [0.3, 0.3], None), "ascending"),
        (functools.partial(Threshold, [], None), "ascending"),
        (functools.partial(Adaptive, 3, ["a"], ["n"], "mean_reward", 0), "3 different names"),
    ],
    ids=lambda value: f"{value.func.__name__}{value.args}" if callable(value) else None,
)
def test_wrong_knobs_are_refused_before_any_work(make, words):
    with pytest.raises(UserError, match=words):
        make()


@pytest.mark.parametrize(
    ("cls", "key", "value"),
    [
        (Percentile, "n", 0),
        (Percentile, "names", []),
        (PassRate, "thresholds", [80, 50]),
        (PassRate, "thresholds", [0.5, -0.1]),
        (MeanReward, "names", []),
        (Adaptive, "n", -1),
        (Adaptive, "features", []),
        (Adaptive, "seed", -1),
    ],
)
def test_values_out_of_range_name_their_key(cls, key, value):
    with pytest.raises(UserError, match=rf"bucketer\.{key}"):
        typed(cls, {key: value}, "bucketer")


@dataclass
class Half(Bucketer):
    edges_: Any = field(init=False)
    names_: list[str] = field(init=False)

    def fit(self, metrics):
        self.edges_, self.names_ = [0.5], ["easy", "hard"]
        return self

    def assign(self, metrics):
        return (metrics["mean_reward"] < self.edges_[0]).astype(np.int64)


class ByRow(Half):
    def assign(self, metrics):
        return np.arange(len(metrics)) % 2


class Arrays(Half):
    def fit(self, metrics):
        super().fit(metrics).edges_ = np.array([0.5])
        return self


class JsonForgets(Half):
    def fit(self, metrics):
        super().fit(metrics).edges_ = {0: 0.5}
        return self

    def assign(self, metrics):
        return (metrics["mean_reward"] < self.edges_.get(0, 0.9)).astype(np.int64)


class OneColumn(Half):
    def assign(self, metrics):
        return super().assign(metrics)[:, None]


class BelowTheOthers(Half):
    def assign(self, metrics):
        return (metrics["mean_reward"] < metrics["mean_reward"].mean()).astype(np.int64)


class AtRandom(Half):
    def assign(self, metrics):
        return np.random.default_rng().integers(0, 2, len(metrics))


class Beyond(Half):
    def assign(self, metrics):
        return super().assign(metrics) + 1


class Labels(Half):
    def assign(self, metrics):
        return np.array(self.names_)[super().assign(metrics)]


class InShares(Half):
    def describe(self, metrics):
        return Cuts("pass_rate", self.edges_)


class HardToEasy(Half):
    def fit(self, metrics):
        super().fit(metrics).names_ = ["easy", "medium", "hard"]
        return self

    def describe(self, metrics):
        return Cuts("mean_reward", [0.25, 0.5])


class TooManyCuts(Half):
    def describe(self, metrics):
        return Cuts("mean_reward", [0.5, 0.25])


class OfNoMetric(Half):
    def describe(self, metrics):
        return Cuts("skill", [0.5])


class SameNames(Half):
    def fit(self, metrics):
        super().fit(metrics).names_ = ["easy", "easy"]
        return self


def test_check_passes_a_sound_bucketer():
    check_bucketer(Half)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (ByRow, "order of problems"),
        (Arrays, "JSON"),
        (JsonForgets, "JSON"),
        (OneColumn, "shape"),
        (BelowTheOthers, "together"),
        (AtRandom, "twice"),
        (Beyond, "0..1"),
        (Labels, "indices"),
        (SameNames, "must differ"),
        (InShares, "other side of"),
        (HardToEasy, "other side of"),
        (TooManyCuts, "between 2 buckets"),
    ],
)
def test_check_fails_a_broken_bucketer(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_bucketer(broken)


def test_a_description_is_of_a_metric_that_there_is():
    with pytest.raises(UserError, match="no metric 'skill'"):
        check_bucketer(OfNoMetric)


PERCENT = Measure(scale=100)
GROUPS = [[1.0] * 4, [1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0] * 4]


@pytest.mark.parametrize(
    ("bucketer", "chosen", "described"),
    [
        (PassRate(), "mean_reward", Cuts("pass_rate", [80, 50, 20])),
        (MeanReward(), "mean_reward", Cuts("mean_reward", [0.75, 0.5, 0.25])),
        (MeanReward(None, ["a", "b"]), "variance", Cuts("mean_reward", [0.75])),
        (Percentile(2), "mean_reward", Cuts("mean_reward", [0.75])),
        (Percentile(2), "difficulty_score", Cuts("difficulty_score", [0.25 + 0.3 * 0.1875**0.5])),
        (Percentile(4), "max_reward", Cuts("max_reward", [1, 1, 1])),
        (Threshold([0.2, 0.6]), "mean_reward", Cuts("mean_reward", [0.6, 0.2])),
        (Threshold([0.2, 0.6]), "variance", Cuts("variance", [0.2, 0.6])),
        (Adaptive(2), "mean_reward", None),
        (Recorded(), "mean_reward", None),
    ],
)
def test_edges_are_described_in_the_unit_of_their_metric_easy_to_hard(bucketer, chosen, described):
    metrics = dataclasses.replace(make_metrics(GROUPS, PERCENT), chosen=chosen)
    found = bucketer.fit(metrics).describe(metrics)
    if described is None:
        assert found is None
    else:
        assert found.metric == described.metric
        assert list(found.values) == pytest.approx(list(described.values))


def test_infinite_edges_are_described_by_a_number_that_json_has():
    metrics = dataclasses.replace(make_metrics([[0.0]] * 4), chosen="inverse_mean")
    (value,) = Percentile(2).fit(metrics).describe(metrics).values
    assert value > 1e300 and np.isfinite(value)


def test_clusters_are_told_by_their_first_feature():
    metrics = make_metrics([[1.0] * 4] * 3 + [[0.0] * 4] * 2)
    assert Adaptive(2).fit(metrics).summary() == "mean_reward near 1, 0"
    assert Percentile(2).fit(metrics).summary() == ""


def test_equal_shares_split_ties_and_thresholds_do_not():
    metrics = make_metrics(GROUPS)
    split = [MeanReward(None, ["a", "b"]), Percentile()]
    whole = [MeanReward(), PassRate(), Threshold([0.5]), Adaptive(), Recorded()]
    assert all(each.fit(metrics).splits_ties for each in split)
    assert not any(each.fit(metrics).splits_ties for each in whole)
