"""A run stopped anywhere goes on as if it had not been, for every sampler and whatever comes back.

A schedule is made by chance: draws that end within batches or at ends of epochs, and outcomes that
come late, in parts, out of order or never. It is run once from beginning to end, and again from
what was saved at some of its points.
"""

import json
import pickle
from itertools import islice
from typing import Any

import numpy as np
import pytest

from curriculum.core.prompts import Observations
from curriculum.samplers import Curriculum
from curriculum.samplers.names import BUILT_IN
from curriculum.testing import make_prompts

BATCH, PROMPTS, GROUP = 8, 60, 6
RATES = (0.5, 0.0, 0.9)  # of passes, one after another; at 0 all is down
OPTIONS = sorted(BUILT_IN)
QUICK = {"min_batches_per_level": 3, "check_frequency": 1, "reward_threshold": 0.4}
SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {option: (option, {}) for option in OPTIONS} | {
    "adaptive": ("multi_source", {"adaptive_weights": True, "update_frequency": 1}),
    "levels": ("reward_curriculum", QUICK | {"focus_new_intervals": True}),
    "time_quick": ("time_curriculum", {"complexity_warmup_steps": 12, "adaptive_weights": True}),
    "ucb": ("bandit", {"rule": "ucb", "window": 20}),
    "ucb_sources": ("bandit", {"rule": "ucb", "arms": "sources"}),
    "gaussian": ("easy_to_hard", {"schedule": "gaussian"}),
    "classic": ("easy_to_hard", {"schedule": "classic"}),
    "references": ("thompson", {"references": ["weak", "score"], "discount": 0.8}),
    "forgetting": ("learnability", {"discount": 0.5}),
}
GUARDS: dict[str, dict[str, Any]] = {
    "floor": {"floor": 0.25, "collapse": 0.3, "patience": 1},
    "all": {
        "floor": 0.25,
        "quotas": {"s0": 2, "s1": 1},
        "no_repeat": 20,
        "max_repeats": 9,
        "collapse": 0.3,
        "patience": 1,
    },
}


def outcomes(rng, batch, rate):
    """Part of a batch's rollouts."""
    prompt = np.repeat(rng.permutation(batch)[: rng.integers(1, len(batch) + 1)], GROUP)
    passed = rng.random(len(prompt)) < rate
    return Observations.of_rollouts(prompt, passed * 2.0, passed, rng.random(len(prompt)) < 0.9)


def run(curriculum, schedule):
    """What is drawn and what happens; epochs that end are followed by the next."""
    seen = []
    for what, value in schedule:
        if what == "draw":
            seen.append(list(islice(curriculum, value)))
        elif what == "ask":
            iter(curriculum)
        else:
            seen.append([event.text for event in curriculum.observe(value)])
    return seen


def make_schedule(curriculum, rng, length):
    """Steps of a run, what it saw at each, and what was saved before each."""
    schedule, seen, states = [], [], []
    batches: list[list[int]] = []
    for i in range(length):
        kind = rng.choice(["draw", "rest", "observe", "observe", "ask"])
        if kind == "observe" and batches:
            batch = batches[rng.integers(max(len(batches) - 6, 0), len(batches))]
            step = ("observe", outcomes(rng, batch, RATES[i // 15 % 3]))
        elif kind == "ask":
            step = ("ask", None)
        elif kind == "rest" and rng.random() < 0.3:
            step = ("draw", len(curriculum))  # to the end of the epoch
        else:
            step = ("draw", int(rng.choice([1, 3, BATCH, BATCH, 2 * BATCH + 1])))
        states.append(pickle.dumps(curriculum.state_dict()))
        schedule.append(step)
        seen += run(curriculum, [step])
        if step[0] == "draw" and seen[-1]:
            batches.append(seen[-1])
    return schedule, states


def plain(state):
    return json.dumps(state, default=lambda each: each.tolist())


@pytest.mark.parametrize("bounds", [pytest.param("floor", marks=pytest.mark.slow), "all"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_run_goes_on_from_any_point(sampler, guards, name, bounds):
    option, knobs = SAMPLERS[name]
    prompts = make_prompts(PROMPTS)

    def start():
        made = sampler(option, **knobs)
        return Curriculum(made, prompts, BATCH, guards(**GUARDS[bounds]), np.random.default_rng(9))

    rng = np.random.default_rng(list(SAMPLERS).index(name))
    whole = start()
    schedule, states = make_schedule(whole, rng, 90)
    again = start()
    seen = run(again, schedule)
    end = plain(again.state_dict())
    assert end == plain(whole.state_dict())
    at_ends = [i for i, each in enumerate(states) if pickle.loads(each)["drawn"] == len(whole)]
    for point in [*rng.choice(len(states), 4, replace=False), *at_ends[:1]]:
        resumed, saved = start(), pickle.loads(states[point])
        resumed.load_state_dict(saved)
        assert plain(resumed.state_dict()) == plain(saved), f"at step {point}"
        rest = run(resumed, schedule[point:])
        assert rest == seen[len(seen) - len(rest) :], f"from step {point}"
        assert plain(resumed.state_dict()) == end, f"from step {point}"
        assert resumed.metrics() == again.metrics()


@pytest.mark.slow
def test_schedules_reach_what_is_hard(sampler, guards):
    """Levels, weights, outages and ends of epochs all happen in them."""
    kinds, ended = set(), 0
    for name in ("adaptive", "levels"):
        option, knobs = SAMPLERS[name]
        prompts = make_prompts(PROMPTS)
        for seed in range(3):
            made = sampler(option, **knobs)
            bounds = guards(**GUARDS["floor"])
            curriculum = Curriculum(made, prompts, BATCH, bounds, np.random.default_rng(9))
            schedule, states = make_schedule(curriculum, np.random.default_rng(seed), 90)
            made = sampler(option, **knobs)
            fresh = Curriculum(made, prompts, BATCH, bounds, np.random.default_rng(9))
            for what, value in schedule:
                if what == "observe":
                    kinds |= {event.kind for event in fresh.observe(value)}
                else:
                    run(fresh, [(what, value)])
            ended += sum(pickle.loads(each)["drawn"] == len(curriculum) for each in states)
    assert kinds == {"level_up", "weights", "frozen", "thawed"}
    assert ended > 10
