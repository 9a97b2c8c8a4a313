"""`trainer=dry_run`: what a sampler would do with these prompts, before a GPU is spent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.names import CONTROL, EVENTS, METRICS
from curriculum.core.progress import progress
from curriculum.core.prompts import Event, Observations
from curriculum.core.records import Integers
from curriculum.samplers import Uniform
from curriculum.trackers import Tracker
from curriculum.trainers.base import Training
from curriculum.trainers.parts.learning import Pace, SimulatedModel
from curriculum.trainers.parts.simulated import LABEL, Simulated, show, summary

PLOT = "dry_run.png"


@dataclass(frozen=True)
class DryRun:
    """Drives the sampler against a simulated model (`SimulatedModel`), and the control too.

    Both see the same model: the same pass rates to begin with, and the same number of rollouts.
    """

    learning_rate: float
    bucket_transfer: float
    source_transfer: float
    delay: int
    gain: float
    control: bool
    plot: bool
    files: ClassVar = (PLOT, METRICS, EVENTS)

    def __post_init__(self) -> None:
        transfers = (self.bucket_transfer, self.source_transfer)
        if not self.learning_rate >= 0 or not all(0 <= each <= 1 for each in transfers):
            raise UserError(
                "trainer.learning_rate: 0 or more; trainer.bucket_transfer, source_transfer: 0 to 1"
            )
        if self.delay < 0:
            raise UserError(f"trainer.delay={self.delay}: 0 batches or more")
        if not 0 < self.gain < 1:
            raise UserError(f"trainer.gain={self.gain}: of a pass rate, between 0 and 1")

    def run(self, training: Training, tracker: Tracker, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        arms = {training.option: self._simulate(training)}
        if self.control and training.option != CONTROL:
            arms[CONTROL] = self._simulate(replace(training, sampler=Uniform(), option=CONTROL))
        own = arms[training.option]
        tracker.event(0, Event("dry_run", f"dry run: {LABEL}", {}))
        for step, event in own.events:
            tracker.event(step, event)
        for name, arm in arms.items():
            prefix = "" if name == training.option else "control/"
            for step, values in enumerate(arm.by_step()):
                tracker.log(step, {f"{prefix}{key}": value for key, value in values.items()})
        if self.plot:
            from curriculum.trainers.parts.plot import plot

            plot(arms, folder / PLOT)
        return summary(arms, self.gain)

    show = staticmethod(show)

    def _simulate(self, training: Training) -> Simulated:
        schedule, prompts = training.schedule, training.prompts
        curriculum = training.curriculum()
        pace = Pace(self.learning_rate, self.bucket_transfer, self.source_transfer)
        model = SimulatedModel(prompts, pace, np.random.default_rng([training.seed, 1]))
        done = Simulated(prompts, schedule, float(model.pass_rates().mean()))
        done.events += [(0, event) for event in curriculum.started]
        under_way: deque[Observations] = deque()
        drawn = chain.from_iterable(repeat(curriculum))  # one epoch after another
        with progress(f"dry run, {training.option}", "steps", schedule.steps) as advance:
            for step in range(1, schedule.steps + 1):
                batch = np.array([next(drawn) for _ in range(schedule.batch_size)])
                passes = model.roll_out(batch, schedule.group_size)
                model.learn(batch, passes, schedule.group_size)
                under_way.append(_observations(batch, passes, schedule.group_size))
                events: list[Event] = []
                if len(under_way) > self.delay:
                    events = curriculum.observe(under_way.popleft())
                done.events += [(step, event) for event in events]
                rate = float(model.pass_rates().mean())
                done.add(batch, passes, rate, curriculum.metrics())
                advance(1)
        return done


def _observations(batch: Integers, passes: Integers, group_size: int) -> Observations:
    """Groups of rewards of 0 and 1."""
    passed = np.arange(group_size) < passes[:, None]
    prompt = np.repeat(batch, group_size)
    return Observations.of_rollouts(prompt, passed.ravel().astype(np.float64), passed.ravel())
