"""Models that are made here: `model.path=small` and others, trained on first use and then kept."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from curriculum.core.errors import UserError
from curriculum.core.program import install
from curriculum.data.parts import demo_problems, demo_tasks, graded_tasks
from curriculum.data.parts.graded_tasks import Graded
from curriculum.demo import make_rollouts, noisy, training
from curriculum.demo import small_model as checkpoint
from curriculum.demo.training import Phase
from curriculum.store.entries import Store, digest_of_source

log = logging.getLogger(__name__)

SEED = 0
SCHEMA = 1  # of the entries
EXTRAS = ("torch", "transformers", "reasoning_gym")
SOURCES = (make_rollouts, checkpoint, training, demo_problems, demo_tasks)
STRINGS = Phase(steps=1500, batch_size=32, warmup_steps=50)
NOISE = Phase(steps=300, warmup_steps=40)
NOISE_OF_STRINGS = Phase(steps=200, batch_size=96, warmup_steps=40)


class Recipe(NamedTuple):
    """How a model is made, how long that takes on one core, and of what code it depends."""

    make: Callable[[Store], tuple[Any, Any]]  # model and tokenizer
    takes: str
    sources: tuple[Any, ...] = SOURCES


def stored(name: str, store: Store) -> Path:
    """The checkpoint's folder.

    Raises:
        UserError: where what trains it is not installed.
    """
    missing = [each for each in EXTRAS if find_spec(each) is None]
    if missing:
        raise UserError(
            f"model.path={name} is trained here and needs {', '.join(missing)}: {install('torch')}"
        )
    recipe = RECIPES[name]
    made_of = {
        "seed": SEED,
        "schema": SCHEMA,
        "source": digest_of_source(*recipe.sources, sys.modules[__name__]),
        "versions": [version(each.replace("_", "-")) for each in EXTRAS],
    }
    return store.entry(f"{name}_model", made_of, partial(_train, name, recipe, store)).folder


def _train(name: str, recipe: Recipe, store: Store, folder: Path) -> dict[str, int]:
    log.info("training the %s model: about %s, once", name, recipe.takes)
    model, tokenizer = recipe.make(store)
    checkpoint.save_checkpoint(model, tokenizer, folder)
    return {"parameters": sum(each.numel() for each in model.parameters())}


def _small(_: Store) -> tuple[Any, Any]:
    problems = demo_problems.demo_problems(make_rollouts.PROBLEMS_PER_LEVEL)
    return make_rollouts.trained_model(problems, SEED)


def _tasks(_: Store) -> tuple[Any, Any]:
    problems = noisy.tasks(Random(SEED), noisy.ALIKE, noisy.RIGHT)
    return _trained(checkpoint.build_model(SEED), problems, Phase())


def _reverse(_: Store) -> tuple[Any, Any]:
    model = checkpoint.build_model(SEED, heads=2, max_new_tokens=16)
    return _trained(model, noisy.strings(Random(SEED)), STRINGS)


def _trained(model: Any, problems: Iterator[Graded], phase: Phase) -> tuple[Any, Any]:
    import torch

    torch.set_num_threads(1)  # sums over several threads are not reproducible
    tokenizer = checkpoint.build_tokenizer()
    training.train(model, tokenizer, problems, phase)
    return model, tokenizer


def _noisy(
    base: str, problems: Callable[[Random], Iterator[Graded]], phase: Phase, store: Store
) -> tuple[Any, Any]:
    """One of the others, trained on with wrong answers."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(stored(base, store))
    return _trained(model, problems(Random(SEED + 1)), phase)


def _noisy_strings(wrong: float, store: Store) -> tuple[Any, Any]:
    return _noisy("reverse", partial(noisy.strings, wrong=wrong), NOISE_OF_STRINGS, store)


OF_NOISE = (*SOURCES, graded_tasks, noisy)
RECIPES: Mapping[str, Recipe] = {
    "small": Recipe(_small, "three minutes"),
    "tasks": Recipe(_tasks, "three minutes", OF_NOISE),
    "tasks_unsure": Recipe(partial(_noisy, "tasks", noisy.tasks, NOISE), "half a minute", OF_NOISE),
    "reverse": Recipe(_reverse, "a minute", OF_NOISE),
    "reverse_35": Recipe(partial(_noisy_strings, 0.35), "10 seconds", OF_NOISE),
    "reverse_50": Recipe(partial(_noisy_strings, 0.5), "10 seconds", OF_NOISE),
}
