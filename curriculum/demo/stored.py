"""`model.path=small`: the demo's model, trained on first use and kept in the store."""

from __future__ import annotations

import logging
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from curriculum.core.errors import UserError
from curriculum.data import parts
from curriculum.demo import __path__
from curriculum.store.entries import Store, digest_of_sources

log = logging.getLogger(__name__)

NAME = "small"
SEED = 0
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
        "code": [digest_of_sources(Path(each)) for each in (__path__[0], parts.__path__[0])],
        "versions": [version(name.replace("_", "-")) for name in EXTRAS],
    }
    return store.stage("small_model", made_of, _train).folder


def _train(folder: Path) -> dict[str, int]:
    from curriculum.data.parts.demo_problems import demo_problems
    from curriculum.demo.make_rollouts import PROBLEMS_PER_LEVEL, trained_model
    from curriculum.demo.small_model import save_checkpoint

    log.info("training the small model: about three minutes, once")
    model, tokenizer = trained_model(demo_problems(PROBLEMS_PER_LEVEL), SEED)
    save_checkpoint(model, tokenizer, folder)
    return {"parameters": sum(each.numel() for each in model.parameters())}
