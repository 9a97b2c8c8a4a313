"""The last step: the trainer draws the prompts in the sampler's order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow as pa

from curriculum.core.prompts import Prompts
from curriculum.core.records import JSON_COLUMNS, Measured, Problems, Sample, reaches
from curriculum.run.context import Context
from curriculum.run.layouts import Left
from curriculum.run.sampling import model_of
from curriculum.run.scored import choose_reward
from curriculum.run.scoring.online import online
from curriculum.run.settings import Settings
from curriculum.samplers import Sampler
from curriculum.trackers import Tracker
from curriculum.trainers import Tasks, Trainer, Training


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
    problems, option = measured.problems, context.choices["reward"]
    reward = choose_reward(settings, problems, measured.measured, recorded=False, option=option)
    threshold, strict = settings.measure.threshold, settings.measure.strict
    with online(reward, settings.scoring) as score:
        yield Tasks(
            asked=partial(_asked, problems),
            score=score,
            passes=partial(reaches, threshold=threshold, strict=strict),
            held_out=prompts.take(np.flatnonzero(~prompts.trained)),
        )


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
