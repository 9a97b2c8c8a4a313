"""Samplers of conf/sampler's own values, and prompts and outcomes that are worked out by hand."""

import dataclasses
import functools
from itertools import islice

import numpy as np
import pytest
from omegaconf import OmegaConf

from curriculum.config.build import build
from curriculum.config.plugins import conf_dir
from curriculum.core.prompts import Observations, Prompts
from curriculum.samplers import Rails

STEPS = 20  # of the training, for the samplers that ask


@pytest.fixture(scope="session")
def sampler():
    """A sampler by its option's name, with the values of its file but for the given knobs."""

    @functools.cache
    def configured(option):
        node = OmegaConf.load(conf_dir() / "sampler" / f"{option}.yaml")
        cfg = OmegaConf.create({"trainer": {"steps": STEPS}, "sampler": node})
        return build(OmegaConf.to_container(cfg, resolve=True), "sampler")

    return lambda option, **knobs: dataclasses.replace(configured(option), **knobs)


@pytest.fixture(scope="session")
def prompts():
    """Prompts of a source and bucket each; never measured unless n and c are given."""

    def prompts(source, *, bucket=None, difficulty=None, n=None, c=None, sources=None, extra=None):
        source = np.asarray(source, np.int64)
        none = np.zeros(len(source))
        bucket = none.astype(np.int64) if bucket is None else np.asarray(bucket, np.int64)
        numbers = {name: np.asarray(each, np.float64) for name, each in (extra or {}).items()}
        return Prompts(
            source=source,
            sources=sources or [f"s{i}" for i in range(source.max() + 1)],
            bucket=bucket,
            buckets=[f"b{i}" for i in range(bucket.max() + 1)],
            difficulty=none if difficulty is None else np.asarray(difficulty, np.float64),
            n=none if n is None else np.asarray(n, np.float64),
            c=none if c is None else np.asarray(c, np.float64),
            extra=lambda name, rows: numbers[name][rows],
        )

    return prompts


@pytest.fixture(scope="session")
def outcomes():
    """Groups of n rollouts that passed so often; the reward is the pass rate unless given."""

    def outcomes(prompt, passed, n=8, reward=None, lowest=0.0, highest=1.0, advantage=0.0):
        prompt = np.atleast_1d(np.asarray(prompt, np.int64))
        full = {
            name: np.broadcast_to(value, prompt.shape)
            for name, value in {"passed": passed, "n": n}.items()
        }
        reward = full["passed"] / full["n"] if reward is None else reward
        numbers = (reward, lowest, highest, advantage)
        return Observations(
            prompt,
            full["n"].astype(np.int64),
            full["passed"].astype(np.int64),
            *(np.broadcast_to(each, prompt.shape).astype(np.float64) for each in numbers),
        )

    return outcomes


@pytest.fixture(scope="session")
def rails():
    """No rails at all, but for the given ones."""

    def rails(**given):
        none = {"floor": 0.0, "quotas": None, "no_repeat": 0, "max_repeats": None}
        return Rails(**(none | {"collapse": None, "patience": 20} | given))

    return rails


@pytest.fixture(scope="session")
def batches():
    """The next batches of a curriculum, over ends of epochs."""

    def batches(curriculum, count, size):
        drawn = []
        for _ in range(count):
            batch = []
            while len(batch) < size:
                batch += islice(curriculum, size - len(batch))
            drawn.append(batch)
        return drawn

    return batches
