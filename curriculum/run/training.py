"""The last step: the trainer draws the problems in the sampler's order."""

from __future__ import annotations

import numpy as np

from curriculum.core.records import Measured
from curriculum.run.context import Context
from curriculum.run.prompts import prompts_of
from curriculum.run.settings import Settings
from curriculum.trackers import Tracker
from curriculum.trainers import Trainer, Training


def train(
    settings: Settings,
    trainer: Trainer,
    measured: Measured,
    kind: str,
    context: Context,
    tracker: Tracker,
) -> None:
    """Train on the problems that every layout trains on.

    Args:
        kind: of the run's files, see `kind_of`.
    """
    with context.ledger.timed("training"):
        sides = [layout.trained(measured, settings.export) for layout in settings.layouts.values()]
        prompts = prompts_of(measured, np.logical_and.reduce(sides))
        training = Training(
            prompts,
            settings.sampler,
            context.choices["sampler"],
            settings.rails,
            settings.schedule.fitting(len(prompts)),
            settings.seed,
        )
        try:
            results = trainer.run(training, tracker, context.folder)
        finally:
            tracker.trained()
    left = [name for name in trainer.files if (context.folder / name).exists()]
    context.ledger.add(left, kind)
    context.ledger.note(training=results)
    if context.show:
        trainer.show(results, [context.folder / name for name in left])
