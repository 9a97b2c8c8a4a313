"""Responses of a training, scored as they come."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest

from curriculum.core.records import Sample
from curriculum.rewards import Reward
from curriculum.run.scoring.online import online
from curriculum.run.scoring.scores import TooManyFailures
from curriculum.run.scoring.scoring import Scoring


@dataclass(frozen=True)
class Picky(Reward):
    """Fails on what is no number."""

    needs: ClassVar = ("response", "ground_truth")

    def score(self, samples):
        return [float(each.response) for each in samples]


def asked(*responses):
    return [Sample("s", "p", response, "truth", None) for response in responses]


def test_what_has_no_reward_is_no_number_and_the_rest_is_scored(caplog):
    with online(Picky(), Scoring(workers=1)) as score:
        assert score(asked("1", "0.5")) == [1.0, 0.5]
        first, second = score(asked("0", "what"))
        assert first == 0.0
        assert math.isnan(second)
        (unknown,) = score([asked("1")[0]._replace(ground_truth=None)])
        assert math.isnan(unknown), "a missing truth is no wrong answer"
    assert "no ground truth" in caplog.text
    assert "could not convert string to float: 'what'" in caplog.text


def test_failures_add_up_to_the_limit():
    with online(Picky(), Scoring(workers=1, max_failures=1)) as score:
        score(asked("?", "1"))
        with pytest.raises(TooManyFailures):
            score(asked("?", "1"))
