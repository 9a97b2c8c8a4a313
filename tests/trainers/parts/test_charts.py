"""What charts of a dry run say, against numbers worked out by hand."""

import numpy as np
import pytest

from curriculum.core.prompts import Event
from curriculum.trainers.parts import charts
from curriculum.trainers.parts.plot import steps_of
from curriculum.trainers.parts.simulated import Simulated


class Arm(Simulated):
    """Two steps of an arm, as `Simulated` tells them."""

    def __init__(self, rate, levels=()):
        self.rate = rate
        self.events = [(step, Event("level_up", "up", {"level": 1})) for step in levels]

    def by_step(self):
        yield {"rollouts": 0.0, "mean_pass_rate": self.rate}
        yield {"rollouts": 8.0, "mean_pass_rate": self.rate + 0.1, "bucket/easy": 0.25}


def bars(spec):
    """Prompts by arm and left edge of their bin."""
    points = spec["data"]["values"]
    return {(point["b"], point["x"]): point["y"] for point in points}


def test_prompts_are_counted_by_how_often_they_were_drawn():
    spec = charts.draws([np.array([0, 0, 2, 3]), np.array([1, 1, 1, 1])])
    own = {(0, -0.5): 2, (0, 0.5): 0, (0, 1.5): 1, (0, 2.5): 1, (0, 3.5): 0}
    control = {(1, -0.5): 0, (1, 0.5): 4, (1, 1.5): 0, (1, 2.5): 0, (1, 3.5): 0}
    assert bars(spec) == own | control


def test_bins_hold_as_many_numbers_each_where_draws_are_many():
    found = bars(charts.draws([np.arange(100)]))
    widths = np.diff([edge for _, edge in found])
    assert set(widths) == {3}  # of a hundred numbers in at most forty bins
    assert sum(found.values()) == 100
    assert set(list(found.values())[:-2]) == {3}


def test_the_control_stands_beside_the_sampler_and_level_ups_are_the_samplers():
    steps = steps_of({"thompson": Arm(0.5, levels=[1]), "uniform": Arm(0.4, levels=[1])})
    assert steps["mean_pass_rate"].tolist() == pytest.approx([0.5, 0.6])
    assert steps["control/mean_pass_rate"].tolist() == pytest.approx([0.4, 0.5])
    assert steps["bucket/easy"].tolist() == pytest.approx([np.nan, 0.25], nan_ok=True)
    assert [(line["at"], line["level"]) for line in steps.level_ups()] == [(8, 1)]
