"""The last step: the trainer draws the prompts in the sampler's order."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.core.records import JSON_COLUMNS, Measured, Problems, Sample, reaches
from curriculum.layouts.stages import validation_side
from curriculum.rewards import Reward
from curriculum.run.context import Context
from curriculum.run.layouts import Left
from curriculum.run.sampling import model_of
from curriculum.run.scored import choose_reward
from curriculum.run.scoring.online import online
from curriculum.run.settings import Settings
from curriculum.samplers import Sampler
from curriculum.trackers import Tracker
from curriculum.trainers import Tasks, Trainer, Training

log = logging.getLogger(__name__)


def train(
    settings: Settings,
    sampler: Sampler,
    trainer: Trainer,
    measured: Measured,
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
        settings.measure.threshold,
        settings.measure.strict,
        [path for files in left.files.values() for path, _ in files],
        partial(_tasks, settings, measured, left.prompts, context),
    )
    trainer = trainer.with_model(partial(model_of, store=context.store))
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


@contextmanager
def _tasks(
    settings: Settings, measured: Measured, prompts: Prompts, context: Context
) -> Iterator[Tasks]:
    """What the problems ask, and the run's reward for new responses, in processes of its own."""
    reward = _reward(settings, measured, context)
    threshold, strict = settings.measure.threshold, settings.measure.strict
    held_out = validation_side(measured, settings.export)
    with online(reward, settings.scoring) as score:
        yield Tasks(
            asked=partial(_asked, measured.problems),
            score=score,
            passes=partial(reaches, threshold=threshold, strict=strict),
            held_out=prompts.take(np.flatnonzero(held_out)),
        )


def _reward(settings: Settings, measured: Measured, context: Context) -> Reward:
    """The run's, for new responses. Raises UserError where it only reads those of the rollouts."""
    option, problems = context.choices["reward"], measured.problems
    reward = choose_reward(settings, problems, measured.measured, recorded=False, option=option)
    if reward.in_rollouts:
        raise UserError(
            f"reward={option} reads what the rollouts carry, and responses of a training have none:"
            " choose one that scores, like reward=exact_match"
        )
    if measured.rollouts.recorded and settings.reward.choose(True, []).in_rollouts:
        log.warning(
            "measured with the rewards in the rollouts; responses of the training are scored by %s",
            type(reward).__name__,
        )
    return reward


def _asked(problems: Problems, prompts: Prompts) -> list[Sample]:
    table = problems.table.take(pa.array(prompts.index))
    columns = {
        name: [None if text is None else json.loads(text) for text in table[name].to_pylist()]
        for name in JSON_COLUMNS
    }
    sources = table["data_source"].to_pylist()
    return [
        Sample(source, prompt, "", truth, info)
        for source, prompt, truth, info in zip(sources, *columns.values(), strict=True)
    ]
