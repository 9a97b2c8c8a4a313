"""The last step: the trainer draws the prompts in the sampler's order."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.names import PROMPTS
from curriculum.core.prompts import Mask, Prompts
from curriculum.core.records import JSON_COLUMNS, Problems, Sample, reaches
from curriculum.layouts.stages import validation_of, validation_side
from curriculum.rewards import Reward
from curriculum.run.context import Context
from curriculum.run.layouts import Left
from curriculum.run.prompts import unmeasured_prompts
from curriculum.run.sampling import model_of
from curriculum.run.scored import choose_reward
from curriculum.run.scoring.online import online
from curriculum.run.settings import Settings
from curriculum.samplers import Sampler
from curriculum.trackers import Tracker
from curriculum.trainers import Tasks, Trainer, Training

log = logging.getLogger(__name__)

UNMEASURED = "unmeasured"


class Given(NamedTuple):
    """What there is to train on."""

    problems: Problems
    prompts: Prompts  # on either side
    held_out: Mask  # (P,) which of them are for validation
    recorded: bool  # whether they were measured with rewards that the rollouts carry
    files: list[Path]  # that the layouts left
    kind: str  # of these files


def given(settings: Settings, measured: Measured, left: Left) -> Given:
    """What a run has measured and laid out."""
    files = [path for files in left.files.values() for path, _ in files]
    held_out, recorded = validation_side(measured, settings.export), measured.rollouts.recorded
    return Given(measured.problems, left.prompts, held_out, recorded, files, left.kind)


def unmeasured(settings: Settings, problems: Problems, context: Context) -> Given:
    """The problems as the data has them, in one bucket; leaves prompts.parquet."""
    every, none = np.arange(len(problems)), np.zeros(len(problems), np.int64)
    held_out = validation_of(problems, every, none, settings.export)
    prompts = unmeasured_prompts(problems, ~held_out)
    prompts.save(context.folder / PROMPTS)
    expected = settings.trainer.files if settings.trainer else ()
    inputs = [file.url for file in settings.files()]
    context.ledger.leave([PROMPTS], UNMEASURED, expected, inputs)
    context.ledger.note(total_problems=len(problems))
    return Given(problems, prompts, held_out, False, [], UNMEASURED)


def train(
    settings: Settings,
    sampler: Sampler,
    trainer: Trainer,
    given: Given,
    context: Context,
    tracker: Tracker,
) -> None:
    """Train on the prompts that every layout trains on."""
    prompts = given.prompts.training_side()
    training = Training(
        sampler,
        context.choices["sampler"],
        settings.guards,
        settings.schedule.fitting(len(prompts)),
        settings.seed,
        settings.measure.threshold,
        settings.measure.strict,
        given.files,
        partial(_tasks, settings, given, context),
    )
    trainer = trainer.with_model(partial(model_of, store=context.store))
    with context.ledger.timed("training"):
        try:
            results = trainer.run(prompts, training, tracker, context.folder)
        finally:
            tracker.trained()
    files = [name for name in trainer.files if (context.folder / name).exists()]
    context.ledger.add(files, given.kind)
    context.ledger.note(training=results)
    with context.printing():
        trainer.show(results, [context.folder / name for name in files])


@contextmanager
def _tasks(settings: Settings, given: Given, context: Context) -> Iterator[Tasks]:
    """What the problems ask, and the run's reward for new responses, in processes of its own."""
    reward = _reward(settings, given, context)
    threshold, strict = settings.measure.threshold, settings.measure.strict
    with online(reward, settings.scoring) as score:
        yield Tasks(
            asked=partial(_asked, given.problems),
            score=score,
            passes=partial(reaches, threshold=threshold, strict=strict),
            held_out=given.prompts.take(np.flatnonzero(given.held_out)),
        )


def _reward(settings: Settings, given: Given, context: Context) -> Reward:
    """The run's, for new responses. Raises UserError where it only reads those of the rollouts."""
    option, rows = context.choices["reward"], given.prompts.index
    reward = choose_reward(settings, given.problems, rows, recorded=False, option=option)
    if reward.in_rollouts:
        raise UserError(
            f"reward={option} reads what the rollouts carry, and responses of a training have none:"
            " choose one that scores, like reward=exact_match"
        )
    if given.recorded and settings.reward.choose(True, []).in_rollouts:
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
