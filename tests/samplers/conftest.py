"""Samplers of conf/sampler's own values, and prompts and outcomes that are worked out by hand."""

import functools
import json
from typing import Any, cast

import numpy as np
import pytest
from omegaconf import OmegaConf

from curriculum.config.build import build, typed
from curriculum.config.conf import conf_dir
from curriculum.core.prompts import Observations, Prompts
from curriculum.samplers import Guards

STEPS = 20  # of the training, for the samplers that ask


@pytest.fixture(scope="session")
def sampler():
    """A sampler by its option's name, with the values of its file but for the given ones."""

    @functools.cache
    def configuration(option):
        node = OmegaConf.load(conf_dir() / "sampler" / f"{option}.yaml")
        cfg = OmegaConf.create({"trainer": {"steps": STEPS}, "sampler": node})
        return cast(dict[str, Any], OmegaConf.to_container(cfg.sampler, resolve=True))

    def sampler(option, **given):
        return build({"sampler": configuration(option) | given}, "sampler")

    return sampler


@pytest.fixture(scope="session")
def prompts():
    """Prompts of a source and bucket each; never measured unless n and c are given."""

    def prompts(
        source,
        *,
        bucket=None,
        difficulty=None,
        n=None,
        c=None,
        sources=None,
        extra=None,
        length=None,
    ):
        source = np.asarray(source, np.int64)
        none = np.zeros(len(source))
        bucket = none.astype(np.int64) if bucket is None else np.asarray(bucket, np.int64)
        numbers = {name: np.asarray(each, float).tolist() for name, each in (extra or {}).items()}
        infos = [
            json.dumps({name: each[row] for name, each in numbers.items()})
            for row in range(len(source))
        ]
        return Prompts(
            ids=np.array([f"p{row}" for row in range(len(source))], object),
            index=np.arange(len(source)),
            source=source,
            sources=sources or [f"s{i}" for i in range(source.max() + 1)],
            bucket=bucket,
            buckets=[f"b{i}" for i in range(bucket.max() + 1)],
            difficulty=none if difficulty is None else np.asarray(difficulty, np.float64),
            n=none if n is None else np.asarray(n, np.float64),
            c=none if c is None else np.asarray(c, np.float64),
            trained=np.ones(len(source), np.bool_),
            extra_info=np.array(infos, object),
            length=none.astype(np.int64) if length is None else np.asarray(length, np.int64),
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
def guards():
    """No guards at all, but for the given ones."""

    def guards(**given):
        none = {"floor": 0.0, "collapse": None, "quotas": None}
        return typed(Guards, none | given, "sampler")

    return guards


@pytest.fixture(scope="session")
def batches():
    """The next batches of a curriculum, over ends of epochs."""

    def batches(curriculum, count, size):
        assert curriculum.batch_size == size
        return [curriculum.next_batch().tolist() for _ in range(count)]

    return batches
