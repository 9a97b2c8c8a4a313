"""`trainer=dry_run`: what a sampler would do with these prompts, before a GPU is spent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from curriculum.core.names import CONTROL, EVENTS, METRICS
from curriculum.core.progress import progress
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.samplers import Uniform
from curriculum.samplers.base import Share, Weight
from curriculum.trainers.base import Log, Trainer, Training
from curriculum.trainers.parts.learning import Pace, SimulatedModel
from curriculum.trainers.parts.simulated import LABEL, Simulated, show, summary

PLOT = "dry_run.png"


@dataclass(frozen=True)
class DryRun(Trainer):
    """Drives the sampler against a simulated model (`SimulatedModel`), and the control too.

    Both see the same model: the same pass rates to begin with, and the same number of rollouts.
    """

    learning_rate: Weight = 0.1
    transfer: Share = 0.5
    source_transfer: Share = 0.2
    stuck: list[str] | None = None
    delay: Annotated[int, Field(ge=0)] = 0  # batches
    control: bool = True
    plot: bool = True
    files: ClassVar = (PLOT, METRICS, EVENTS)

    def sources_named(self) -> dict[str, list[str]]:
        """See `Trainer`."""
        return {"stuck": self.stuck or []}

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        arms = {training.option: self.simulate(prompts, training)}
        if self.control and training.option != CONTROL:
            control = replace(training, sampler=Uniform(), option=CONTROL)
            arms[CONTROL] = self.simulate(prompts, control)
        own = arms[training.option]
        # What a simulation is, the table says once.
        log.event(0, Event("dry_run", f"dry run of {training.option}", {"simulation": LABEL}))
        for step, event in own.events:
            log.event(step, event)
        for name, arm in arms.items():
            prefix = "" if name == training.option else "control/"
            for step, values in enumerate(arm.by_step()):
                log.log(step, {f"{prefix}{key}": value for key, value in values.items()})
        if self.plot:
            from curriculum.trainers.parts.plot import plot

            plot(arms, folder / PLOT)
        return summary(arms)

    show = staticmethod(show)

    def simulate(self, prompts: Prompts, training: Training) -> Simulated:
        """One arm, step by step."""
        schedule, curriculum = training.schedule, training.curriculum(prompts)
        of_sources = (self.source_transfer, tuple(self.stuck or ()))
        pace = Pace(self.learning_rate, self.transfer, *of_sources)
        model = SimulatedModel(prompts, pace, np.random.default_rng([training.seed, 1]))
        done = Simulated(prompts, schedule, float(model.pass_rates().mean()))
        done.events += [(0, event) for event in curriculum.started]
        under_way: deque[Observations] = deque()
        with progress(f"dry run, {training.option}", "steps", schedule.steps) as advance:
            for step in range(1, schedule.steps + 1):
                batch = curriculum.next_batch()
                passes = model.roll_out(batch, schedule.group_size)
                model.learn(batch, passes, schedule.group_size)
                under_way.append(Observations.of_passes(batch, passes, schedule.group_size))
                events: list[Event] = []
                if len(under_way) > self.delay:
                    events = curriculum.observe(under_way.popleft())
                done.events += [(step, event) for event in events]
                rate = float(model.pass_rates().mean())
                done.add(batch, passes, rate, curriculum.metrics())
                advance(1)
        return done
