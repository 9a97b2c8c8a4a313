"""Checks that a strategy keeps its contract; plugin authors run them, and so do the built-ins.

Each takes the strategy's class, or anything that makes a fresh one when called without arguments
(`functools.partial(Percentile, n=3)`), and raises AssertionError with what is wrong.
"""

from curriculum.testing.bucketer import check_bucketer
from curriculum.testing.form import check_format
from curriculum.testing.make import (
    STANDARD,
    make_metrics,
    make_problems,
    make_prompts,
    make_rewards,
    write_rows,
)
from curriculum.testing.measured import make_measured
from curriculum.testing.metric import check_metric
from curriculum.testing.reward import check_reward
from curriculum.testing.sampler import check_sampler

__all__ = [
    "STANDARD",
    "check_bucketer",
    "check_format",
    "check_metric",
    "check_reward",
    "check_sampler",
    "make_measured",
    "make_metrics",
    "make_problems",
    "make_prompts",
    "make_rewards",
    "write_rows",
]
