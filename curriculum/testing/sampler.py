"""What every sampler keeps to."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Integers
from curriculum.samplers import Curriculum, Guards, Sampler, Sampling
from curriculum.samplers.base import Allowed
from curriculum.samplers.state import State
from curriculum.testing.make import make_prompts

GUARDS = Guards(floor=0.2, quotas=None)
BATCH, GROUP = 16, 8  # prompts, and rollouts of each
HALF = 0.5  # a reward that stands for some prompts with a gradient and others without


def check_sampler(make: Callable[[], Sampler]) -> None:
    """Determinism, exact resume, no starvation, lag, and the odd sets of prompts and rewards.

    The sampler is driven by a `Curriculum`, with a floor, on prompts of the sources s0 and s1.
    """
    prompts = make_prompts(120)
    run = [_drive(_curriculum(make, prompts, no_repeat=20), 30, lag=lag) for lag in (0, 0, 5)]
    assert run[0] == run[1], "the same seed draws other prompts"
    for batch in run[0] + run[2]:
        assert len(set(batch)) == len(batch), "a batch has a prompt twice"
        assert all(0 <= each < len(prompts) for each in batch), "no such prompt"
    _check_resume(make, prompts)
    _check_state(make, prompts)
    _check_parts(make, prompts)
    for reward in (None, 0.0, 1.0, HALF):
        _check_nothing_starves(make, prompts.take(np.arange(40)), reward)
    one, few = make_prompts(1), make_prompts(BATCH // 2)
    only = np.flatnonzero(prompts.source == 0)
    for odd in (one, few, prompts.take(only), make_prompts(60, sources=2, buckets=1)):
        assert len(_drive(_curriculum(make, odd), 20, lag=2)) == 20


@dataclass(frozen=True)
class _Watched(Sampler):
    """A sampler whose draws are checked."""

    sampler: Sampler

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        return _WatchedSampling(self.sampler.start(prompts, batch_size, group_size, rng))


class _StarvesNone(_Watched):
    starves_none: ClassVar[bool] = True


@dataclass
class _WatchedSampling(Sampling):
    sampling: State[Sampling]

    def draw(self, count: int, allowed: Allowed, batch: int) -> Integers:
        drawn = self.sampling.draw(count, allowed, batch)
        assert len(drawn) <= count, f"{len(drawn)} prompts for {count}"
        assert len(np.unique(drawn)) == len(drawn), "a draw has a prompt twice"
        assert allowed(drawn).all(), "a draw has prompts that are not allowed"
        return drawn

    def observe(self, observations: Observations) -> list[Event]:
        return self.sampling.observe(observations)

    def started(self) -> list[Event]:
        return self.sampling.started()

    def metrics(self) -> dict[str, float]:
        return self.sampling.metrics()


def _curriculum(make: Callable[[], Sampler], prompts: Prompts, no_repeat: int = 0) -> Curriculum:
    sampler = make()
    watched = _StarvesNone(sampler) if sampler.starves_none else _Watched(sampler)
    guards = replace(GUARDS, no_repeat=no_repeat)
    size = min(BATCH, len(prompts))
    return Curriculum(watched, prompts, size, guards, np.random.default_rng(0))


def _drive(
    curriculum: Curriculum, batches: int, lag: int, first: int = 0, reward: float | None = -1
) -> list[list[int]]:
    """Batches drawn while feedback comes `lag` batches later, in two parts and with cut-offs.

    Args:
        reward: of every rollout; -1: by chance; HALF: none passes but of some prompts; None:
            nothing ever comes back.
    """
    drawn: list[list[int]] = []
    for step in range(first, first + batches):
        drawn.append(curriculum.next_batch().tolist())
        if reward is not None and step - first >= lag:
            _feed_back(curriculum, drawn[step - first - lag], step, reward)
    return drawn


def _feed_back(curriculum: Curriculum, batch: Sequence[int], step: int, reward: float) -> None:
    rng = np.random.default_rng([7, step])
    prompt = rng.permutation(np.repeat(np.array(batch, np.int64), GROUP))
    rate = 0.2 + 0.6 * ((prompt * 7919) % 97) / 97  # of a prompt, wherever it stands
    if reward == HALF:
        rate = rate * (prompt % 2)
    by_chance = reward in (-1, HALF)
    passed = rng.random(len(prompt)) < rate if by_chance else np.full(len(prompt), reward > 0)
    answered = rng.random(len(prompt)) < 0.9
    half = np.isin(prompt, batch[::2])
    for part in (half, ~half):
        rewards = passed[part].astype(np.float64)
        curriculum.observe(
            Observations.of_rollouts(prompt[part], rewards, passed[part], answered[part])
        )


def _check_resume(make: Callable[[], Sampler], prompts: Prompts) -> None:
    """Stopped anywhere, a run goes on as if it had not been."""
    epoch = len(_curriculum(make, prompts))
    for taken in (0, BATCH, 2 * BATCH + 7, epoch - 1, epoch, epoch + 20):
        whole = _curriculum(make, prompts)
        _take(whole, taken)
        state = pickle.loads(pickle.dumps(whole.state_dict()))
        resumed = _curriculum(make, prompts)
        resumed.load_state_dict(state)
        for curriculum in (whole, resumed):
            iter(curriculum)  # loaders ask for it twice
        late = list(range(0, len(prompts), 9))
        for curriculum in (whole, resumed):
            _feed_back(curriculum, late, taken, reward=-1)
        same = _drive(whole, 15, 1, first=50) == _drive(resumed, 15, 1, first=50)
        assert same, f"after {taken} draws, what was saved is not all that counts"
        again = [json.dumps(_plain(each.state_dict())) for each in (whole, resumed)]
        assert again[0] == again[1], f"after {taken} draws, resumed runs reach another state"


def _take(curriculum: Curriculum, count: int) -> None:
    batch: list[int] = []
    while count > len(batch):
        batch += islice(curriculum, min(BATCH, count - len(batch)))
        if len(batch) >= BATCH:
            _feed_back(curriculum, batch[:BATCH], count, reward=-1)
            batch, count = batch[BATCH:], count - BATCH


def _check_state(make: Callable[[], Sampler], prompts: Prompts) -> None:
    curriculum = _curriculum(make, prompts)
    _drive(curriculum, 12, lag=1)
    before = json.dumps(_plain(curriculum.state_dict()))
    saved = curriculum.state_dict()
    _drive(curriculum, 3, lag=0)
    assert json.dumps(_plain(saved)) == before, "what was saved changes when the run goes on"
    for name, value in curriculum.metrics().items():
        assert isinstance(name, str) and math.isfinite(value), f"metrics: {name}={value}"


def _check_parts(make: Callable[[], Sampler], prompts: Prompts) -> None:
    """Groups in two parts are what they are as a whole, also where a run stops between."""
    whole, parts = _curriculum(make, prompts), _curriculum(make, prompts)
    for step in range(8):
        batch = whole.next_batch()
        assert parts.next_batch().tolist() == batch.tolist(), "groups in parts draw other prompts"
        passed = np.random.default_rng([9, step]).random((len(batch), GROUP)) < HALF
        prompt = np.repeat(batch, GROUP).reshape(passed.shape)
        rewards = passed.astype(np.float64)
        whole.observe(Observations.of_rollouts(prompt.ravel(), rewards.ravel(), passed.ravel()))
        for part in (slice(0, GROUP // 4), slice(GROUP // 4, GROUP)):
            resumed = _curriculum(make, prompts)
            resumed.load_state_dict(pickle.loads(pickle.dumps(parts.state_dict())))
            parts = resumed
            parts.observe_parts(
                prompt[:, part].ravel(), rewards[:, part].ravel(), passed[:, part].ravel()
            )


def _check_nothing_starves(
    make: Callable[[], Sampler], prompts: Prompts, reward: float | None
) -> None:
    batches = math.ceil(12 * len(prompts) / (GUARDS.floor * BATCH))
    seen = _drive(_curriculum(make, prompts), batches, lag=0, reward=reward)
    missing = len(prompts) - len({each for batch in seen for each in batch})
    assert not missing, f"{missing} prompts never come up in {batches} batches, floor or not"


def _plain(state: Any) -> Any:
    """JSON values of a state, arrays as lists; raises AssertionError where it has anything else."""
    if isinstance(state, dict):
        assert all(isinstance(key, str) for key in state), f"keys must be strings: {list(state)}"
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        assert state.dtype != object, "arrays must hold numbers"
        return state.tolist()
    if isinstance(state, list | tuple):
        return [_plain(each) for each in state]
    known = state is None or isinstance(state, str | bool | int | float)
    assert known, f"a state holds JSON values and arrays, not {type(state).__name__}"
    return state
