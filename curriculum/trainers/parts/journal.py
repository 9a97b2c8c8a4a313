"""What a training has come to: told to who follows the run, and kept to go on from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.atomic import whole
from curriculum.core.prompts import Event, Prompts
from curriculum.core.records import Integers, reaches
from curriculum.trainers.base import Log, Training

RATE = "mean_pass_rate"  # of the problems held out, of the steps at which it was measured
SAMPLER, GROUPS = "sampler/", "/groups"
MEANS: tuple[str, ...] = ("reward", "groups_with_gradient")


class Journal:
    """One training's steps, events and draws."""

    def __init__(self, prompts: Prompts, training: Training, log: Log) -> None:
        self._prompts, self._training, self._log = prompts, training, log
        self._steps: dict[int, dict[str, float]] = {}
        self._events: list[tuple[int, Event]] = []
        self._draws: Counter[int] = Counter()
        self._measured = int(prompts.n.sum())

    def step(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step, or more of them."""
        self._steps.setdefault(step, {}).update(values)
        self._log.log(step, values)

    def trained(self, step: int, drawn: Integers, numbers: Mapping[str, float]) -> None:
        """A step that was trained on: the prompts drawn, and the numbers of `numbers_of`."""
        self._draws.update(drawn.tolist())
        schedule = self._training.schedule
        rollouts = step * schedule.batch_size * schedule.group_size
        self.step(step, columns_of(numbers, rollouts) | self._spent(rollouts))

    def begun(self) -> None:
        """The training begins."""
        self.step(0, {"rollouts": 0.0, **self._spent(0)})

    def _spent(self, rollouts: int) -> dict[str, float]:
        """On measuring before the training, and on both."""
        total = float(self._measured + rollouts)
        return {"measured_rollouts": float(self._measured), "total_rollouts": total}

    def event(self, step: int, event: Event) -> None:
        """Something that the sampler did; once, where a training goes on from before it."""
        if any((step, event.kind, event.text) == (s, e.kind, e.text) for s, e in self._events):
            return
        self._events.append((step, event))
        self._log.event(step, event)

    def save(self, path: Path) -> None:
        """Write all of it, as JSON."""
        events = [(step, event.kind, event.text, event.values) for step, event in self._events]
        found = {"steps": self._steps, "events": events, "draws": self._draws}
        with whole(path) as partial:
            partial.write_text(json.dumps(found), encoding="utf-8")

    def load(self, path: Path) -> None:
        """Go on from there, and tell who follows the run what has been."""
        found = json.loads(path.read_text(encoding="utf-8"))
        self._draws = Counter({int(row): count for row, count in found["draws"].items()})
        for step, values in found["steps"].items():
            self.step(int(step), values)
        for step, kind, text, values in found["events"]:
            self.event(step, Event(kind, text, values))

    def summary(self, gain: float, targets: Sequence[float] | None = None) -> dict[str, Any]:
        """The whole of it in some numbers, as a dry run's of an arm.

        Args:
            targets: held-out pass rates whose rollouts are wanted: of the training, without those
                that measuring took; None where one was not reached.
        """
        schedule, prompts = self._training.schedule, len(self._prompts)
        group = schedule.batch_size * schedule.group_size
        rates = {step: each[RATE] for step, each in sorted(self._steps.items()) if RATE in each}
        before, after = (list(rates.values())[place] for place in (0, -1))
        reached = [
            step for step, rate in rates.items() if reaches(rate, before + gain, strict=False)
        ]
        trained = [each for each in self._steps.values() if "sampler/groups" in each]
        mixed = float(np.mean([each.get("groups_with_gradient", 0.0) for each in trained]))
        rollouts = len(trained) * group
        return {
            "rollouts": rollouts,
            "pass_rate_before": before,
            "pass_rate_after": after,
            "gain": after - before,
            "measured_rollouts": self._measured,
            "rollouts_to": [
                {"pass_rate": each, "rollouts": _first_at(rates, each, group)}
                for each in targets or []
            ],
            "rollouts_to_gain": reached[0] * group if reached else None,
            "groups_with_gradient": mixed,
            "rollouts_without_gradient": round(rollouts * (1 - mixed)),
            "prompts": prompts,
            "never_drawn": prompts - len(self._draws),
            "mean_draws": self._draws.total() / prompts,
            "most_draws": max(self._draws.values(), default=0),
            "level_ups": sum(event.kind == "level_up" for _, event in self._events),
            "past_the_guards": int(trained[-1]["sampler/guards/gave_way"]) if trained else 0,
        }


def _first_at(rates: Mapping[int, float], wanted: float, group: int) -> float | None:
    """Rollouts until a rate was first reached, on straight lines between what was measured."""
    steps, values = list(rates), list(rates.values())
    for place, value in enumerate(values):
        if reaches(value, wanted, strict=False):
            if not place:
                return float(steps[0] * group)
            low, since = values[place - 1], steps[place - 1]
            return float((since + (steps[place] - since) * (wanted - low) / (value - low)) * group)
    return None


def columns_of(numbers: Mapping[str, float], rollouts: int) -> dict[str, float]:
    """Numbers of a step as every trainer tells them.

    Args:
        numbers: those of `numbers_of`.
        rollouts: made until then.
    """
    own = {name.removeprefix(SAMPLER): value for name, value in numbers.items()}
    means = {name: own[name] for name in MEANS if name in own}
    shares = {
        name.removesuffix(GROUPS): value / own["groups"]
        for name, value in own.items()
        if name.startswith(("bucket/", "source/")) and name.endswith(GROUPS) and own["groups"]
    }
    return {"rollouts": float(rollouts), **means, **shares, **numbers}
