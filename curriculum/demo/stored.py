"""`model.path=small`: the demo's model, trained on first use and kept in the store."""

from __future__ import annotations

import logging
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from curriculum.core.errors import UserError
from curriculum.data.parts import demo_problems, demo_tasks
from curriculum.demo import make_rollouts, training
from curriculum.demo import small_model as checkpoint
from curriculum.store.entries import Store, digest_of_source

log = logging.getLogger(__name__)

NAME = "small"
SEED = 0
SCHEMA = 1  # of the entry
SOURCES = (make_rollouts, checkpoint, training, demo_problems, demo_tasks)
EXTRAS = ("torch", "transformers", "reasoning_gym")


def small_model(store: Store) -> Path:
    """The checkpoint's folder; training takes about three minutes on one core.

    Raises:
        UserError: where what trains it is not installed.
    """
    missing = [name for name in EXTRAS if find_spec(name) is None]
    if missing:
        raise UserError(
            f"model.path=small is trained here and needs {', '.join(missing)}: "
            "pip install -e '.[torch]'"
        )
    made_of = {
        "seed": SEED,
        "schema": SCHEMA,
        "source": digest_of_source(*SOURCES),
        "versions": [version(name.replace("_", "-")) for name in EXTRAS],
    }
    return store.entry("small_model", made_of, _train).folder


def _train(folder: Path) -> dict[str, int]:
    log.info("training the small model: about three minutes, once")
    problems = demo_problems.demo_problems(make_rollouts.PROBLEMS_PER_LEVEL)
    model, tokenizer = make_rollouts.trained_model(problems, SEED)
    checkpoint.save_checkpoint(model, tokenizer, folder)
    return {"parameters": sum(each.numel() for each in model.parameters())}
