"""The last step: the trainer draws the prompts in the sampler's order."""

from __future__ import annotations

from curriculum.run.context import Context
from curriculum.run.layouts import Left
from curriculum.run.settings import Settings
from curriculum.samplers import Sampler
from curriculum.trackers import Tracker
from curriculum.trainers import Trainer, Training


def train(
    settings: Settings,
    sampler: Sampler,
    trainer: Trainer,
    left: Left,
    context: Context,
    tracker: Tracker,
) -> None:
    """Train on the prompts that every layout trains on."""
    prompts = left.prompts.training_side()
    training = Training(
        sampler,
        context.choices["sampler"],
        settings.guards,
        settings.schedule.fitting(len(prompts)),
        settings.seed,
    )
    with context.ledger.timed("training"):
        try:
            results = trainer.run(prompts, training, tracker, context.folder)
        finally:
            tracker.trained()
    files = [name for name in trainer.files if (context.folder / name).exists()]
    context.ledger.add(files, left.kind)
    context.ledger.note(training=results)
    if context.show:
        trainer.show(results, [context.folder / name for name in files])
