"""What every sampler promises, and that the check notices one that breaks it."""

import functools
from typing import ClassVar

import numpy as np
import pytest

from curriculum.config.plugins import conf_dir
from curriculum.samplers.parts.epoch_shuffle import Deck
from curriculum.testing import check_sampler

OPTIONS = sorted(path.stem for path in (conf_dir() / "sampler").glob("*.yaml"))
VARIANTS = {
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_knobs_that_change_much_keep_it_too(sampler, variant):
    option, knobs = VARIANTS[variant]
    check_sampler(functools.partial(sampler, option, **knobs))


class Sound:
    """Any allowed prompts, at random."""

    def start(self, prompts, batch_size, rng):
        self.size, self.rng = len(prompts), rng
        return []

    def order(self):
        return self.rng.permutation(self.size)

    def draw(self, count, allowed, batch):
        order = self.order()
        return order[allowed(order)][:count]

    def observe(self, observations):
        return []

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def metrics(self):
        return {}


class GlobalRandomness(Sound):
    def order(self):
        return np.random.permutation(self.size)


class OwnGenerator(Sound):
    def start(self, prompts, batch_size, rng):
        return super().start(prompts, batch_size, np.random.default_rng(0))


class ForgetsItsPlace(Sound):
    def start(self, prompts, batch_size, rng):
        self.deck = Deck(np.arange(len(prompts)), rng)
        return []

    def draw(self, count, allowed, batch):
        return self.deck.draw(count, allowed)


class ForgetsWhatItLearned(Sound):
    def start(self, prompts, batch_size, rng):
        self.seen = np.zeros(len(prompts))
        return super().start(prompts, batch_size, rng)

    def order(self):
        return np.argsort(self.seen + self.rng.random(self.size))

    def observe(self, observations):
        np.add.at(self.seen, observations.prompt, observations.passed)
        return []


class SavesWhatGoesOnChanging(ForgetsWhatItLearned):
    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = np.array(state["seen"])


class SavesASet(Sound):
    def state_dict(self):
        return {"seen": {1, 2}}


class Starves(Sound):
    """The first twenty, for ever; the floor comes to the others."""

    def order(self):
        return super().order()[:0] if self.size < 20 else self.rng.permutation(20)


class StarvesAndSaysNot(Starves):
    starves_none: ClassVar = True


class InOrder(Sound):
    """The same for every seed."""

    def order(self):
        return np.arange(self.size)


class BestArm(Sound):
    """Odd or even rows, whichever have the larger advantages; the floor comes to the others."""

    def start(self, prompts, batch_size, rng):
        self.total, self.groups = np.zeros(2), np.ones(2)
        return super().start(prompts, batch_size, rng)

    def order(self):
        value = (self.total / self.groups)[np.arange(self.size) % 2]
        return np.lexsort((self.rng.random(self.size), -value))

    def observe(self, observations):
        arm = observations.prompt % 2
        self.total += np.bincount(arm, observations.advantage, 2)
        self.groups += np.bincount(arm, minlength=2)
        return []

    def state_dict(self):
        return {"total": self.total.copy(), "groups": self.groups.copy()}

    def load_state_dict(self, state):
        self.total, self.groups = np.array(state["total"]), np.array(state["groups"])


class BestArmAndSaysNot(BestArm):
    starves_none: ClassVar = True


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


@pytest.mark.parametrize("sound", [Sound, Starves, InOrder, BestArm])
def test_check_passes_a_sound_sampler(sound):
    check_sampler(sound)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (GlobalRandomness, "same seed"),
        (OwnGenerator, "not all that counts"),
        (ForgetsItsPlace, "not all that counts"),
        (ForgetsWhatItLearned, "not all that counts"),
        (SavesWhatGoesOnChanging, "what was saved changes"),
        (SavesASet, "JSON values and arrays"),
        (StarvesAndSaysNot, "never come up"),
        (BestArmAndSaysNot, "never come up"),  # only where half the prompts have no gradient
        (Twice, "a prompt twice"),
        (WhateverIsAllowed, "not allowed"),
        (TooMany, "17 prompts for 16"),
        (NotANumber, "loss=nan"),
    ],
)
def test_check_fails_a_broken_sampler(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_sampler(broken)


def test_check_fails_a_sampler_whose_prompts_there_are_not():
    with pytest.raises((AssertionError, IndexError)):
        check_sampler(BeyondTheLast)
