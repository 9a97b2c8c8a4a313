"""What a training comes to, worked out by hand."""

from typing import Any, cast

import numpy as np
import pytest

from curriculum.samplers import Guards, Uniform
from curriculum.testing.make import make_prompts
from curriculum.trainers.base import Schedule, Training
from curriculum.trainers.parts.journal import RATE, Journal

NUMBERS = {"sampler/groups": 2.0, "sampler/guards/gave_way": 0.0}


class Silent:
    """Follows nothing."""

    def log(self, step, values):
        pass

    def event(self, step, event):
        pass


@pytest.fixture
def journal():
    """Of prompts measured with 16 rollouts each, but for some; batches of 2 x 4."""
    prompts = make_prompts(10)
    schedule = Schedule(steps=4, batch_size=2, group_size=4)
    asks = cast(Any, None)
    training = Training(Uniform(), "uniform", Guards(), schedule, 0, 0.5, False, [], asks)
    return Journal(prompts, training, Silent()), int(prompts.n.sum())


def test_rollouts_until_a_rate_lie_on_straight_lines(journal):
    own, measured = journal
    own.begun()
    for step, rate in ((0, 0.1), (2, 0.3), (4, 0.2)):
        for trained in range(max(step - 1, 1), step + 1):
            own.trained(trained, np.array([0, 1]), NUMBERS)
        own.step(step, {RATE: rate})
    found = own.summary(0.15, [0.05, 0.2, 0.3, 0.31])
    to = [each["rollouts"] for each in found["rollouts_to"]]
    assert to == pytest.approx([0, 8, 16, None])  # 0.2 is half way to the second step's 0.3
    assert found["rollouts_to_gain"] == 16
    assert (found["rollouts"], found["measured_rollouts"]) == (32, measured)
    assert measured > 0
