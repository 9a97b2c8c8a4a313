"""What every sampler promises, and that the check notices one that breaks it."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from curriculum.core.records import Floats
from curriculum.samplers import Sampler, Sampling
from curriculum.samplers.names import BUILT_IN
from curriculum.samplers.parts.epoch_shuffle import EpochShuffle
from curriculum.samplers.state import State
from curriculum.testing import check_sampler

OPTIONS = sorted(BUILT_IN)
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "adaptive": ("multi_source", {"adaptive_weights": True, "source_weights": {"s0": 1, "s1": 2}}),
    "one_source": ("time_curriculum", {"complexity_source": "s0", "complexity_score": "score"}),
    "new_intervals": (
        "reward_curriculum",
        {"focus_new_intervals": True, "min_batches_per_level": 2, "check_frequency": 1},
    ),
    "ucb": ("bandit", {"rule": "ucb", "arms": "sources"}),
    "gaussian": ("easy_to_hard", {"schedule": "gaussian"}),
    "balanced": ("easy_to_hard", {"schedule": "balanced"}),
    "classic": ("easy_to_hard", {"schedule": "classic"}),
    "references": ("thompson", {"references": ["weak", "score"], "discount": 0.8}),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_keeps_the_contract(sampler, option):
    check_sampler(functools.partial(sampler, option))


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_knobs_that_change_much_keep_it_too(sampler, variant):
    option, knobs = VARIANTS[variant]
    check_sampler(functools.partial(sampler, option, **knobs))


@dataclass(frozen=True)
class Made(Sampler):
    """Of a class of samplings."""

    sampling: type

    def start(self, prompts, batch_size, group_size, rng):
        return self.sampling(prompts, rng)


class SaysItStarvesNone(Made):
    starves_none: ClassVar = True


class Sound(Sampling):
    """Any allowed prompts, at random."""

    def __init__(self, prompts, rng):
        self.size, self.rng = len(prompts), rng

    def order(self):
        return self.rng.permutation(self.size)

    def draw(self, count, allowed, batch):
        order = self.order()
        return order[allowed(order)][:count]


class GlobalRandomness(Sound):
    def order(self):
        return np.random.permutation(self.size)


class OwnGenerator(Sound):
    def __init__(self, prompts, rng):
        super().__init__(prompts, np.random.default_rng(0))


class OwnGeneratorSaved(OwnGenerator):
    rng: State[np.random.Generator]


class ForgetsItsPlace(Sound):
    def __init__(self, prompts, rng):
        self.epoch = EpochShuffle(np.arange(len(prompts)), rng)

    def draw(self, count, allowed, batch):
        return self.epoch.draw(count, allowed)


class ForgetsWhatItLearned(Sound):
    def __init__(self, prompts, rng):
        super().__init__(prompts, rng)
        self.seen = np.zeros(len(prompts))

    def order(self):
        return np.argsort(self.seen + self.rng.random(self.size))

    def observe(self, observations):
        np.add.at(self.seen, observations.prompt, observations.passed)
        return []


class KnowsWhatItLearned(ForgetsWhatItLearned):
    seen: State[Floats]


class SavesWhatGoesOnChanging(ForgetsWhatItLearned):
    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = np.array(state["seen"])


class SavesASet(Sound):
    def state_dict(self):
        return {"seen": {1, 2}}

    def load_state_dict(self, state):
        pass


class HasASet(Sound):
    seen: State[set]

    def __init__(self, prompts, rng):
        super().__init__(prompts, rng)
        self.seen = {1, 2}


class Starves(Sound):
    """The first twenty, for ever; the floor comes to the others."""

    def order(self):
        return super().order()[:0] if self.size < 20 else self.rng.permutation(20)


class InOrder(Sound):
    """The same for every seed."""

    def order(self):
        return np.arange(self.size)


class BestArm(Sound):
    """Odd or even rows, whichever have the larger advantages; the floor comes to the others."""

    total: State[Floats]
    groups: State[Floats]

    def __init__(self, prompts, rng):
        super().__init__(prompts, rng)
        self.total, self.groups = np.zeros(2), np.ones(2)

    def order(self):
        value = (self.total / self.groups)[np.arange(self.size) % 2]
        return np.lexsort((self.rng.random(self.size), -value))

    def observe(self, observations):
        arm = observations.prompt % 2
        self.total += np.bincount(arm, observations.advantage, 2)
        self.groups += np.bincount(arm, minlength=2)
        return []


class Twice(Sound):
    def draw(self, count, allowed, batch):
        return np.repeat(super().draw(count, allowed, batch)[: (count + 1) // 2], 2)[:count]


class BeyondTheLast(Sound):
    def draw(self, count, allowed, batch):
        return super().draw(count, allowed, batch) + 1


class WhateverIsAllowed(Sound):
    def draw(self, count, allowed, batch):
        return self.order()[:count]


class TooMany(Sound):
    def draw(self, count, allowed, batch):
        return super().draw(count + 1, allowed, batch)


class NotANumber(Sound):
    def metrics(self):
        return {"loss": float("nan")}


SOUND = [Sound, Starves, InOrder, BestArm, OwnGeneratorSaved, KnowsWhatItLearned]


@pytest.mark.parametrize("sound", SOUND)
def test_check_passes_a_sound_sampler(sound):
    check_sampler(functools.partial(Made, sound))


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (GlobalRandomness, "same seed"),
        (OwnGenerator, "not all that counts"),
        (ForgetsItsPlace, "not all that counts"),
        (ForgetsWhatItLearned, "not all that counts"),
        (SavesWhatGoesOnChanging, "what was saved changes"),
        (SavesASet, "JSON values and arrays"),
        (Twice, "a prompt twice"),
        (WhateverIsAllowed, "not allowed"),
        (TooMany, "17 prompts for 16"),
        (NotANumber, "loss=nan"),
    ],
)
def test_check_fails_a_broken_sampler(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_sampler(functools.partial(Made, broken))


@pytest.mark.parametrize("broken", [Starves, BestArm])  # an arm, where half have no gradient
def test_check_fails_a_sampler_that_starves_and_says_not(broken):
    with pytest.raises(AssertionError, match="never come up"):
        check_sampler(functools.partial(SaysItStarvesNone, broken))


def test_what_can_not_be_saved_is_refused_when_it_is():
    with pytest.raises(TypeError, match="set"):
        check_sampler(functools.partial(Made, HasASet))


def test_check_fails_a_sampler_whose_prompts_there_are_not():
    with pytest.raises((AssertionError, IndexError)):
        check_sampler(functools.partial(Made, BeyondTheLast))
