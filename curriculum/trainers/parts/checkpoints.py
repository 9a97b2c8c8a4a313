"""Where a training of a model goes on, and whether it may."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.trainers.parts.journal import Journal

MADE_OF = "made_of.json"
JOURNAL = "journal.json"  # in each checkpoint, written after all else

log = logging.getLogger(__name__)


def require_same(checkpoints: Path, made_of: Mapping[str, Any]) -> None:
    """Raise UserError where another training has left checkpoints in the folder."""
    path = checkpoints / MADE_OF
    text = json.dumps(made_of, indent=1, default=str)
    begun = any(checkpoints.glob("checkpoint-*"))
    if begun and path.exists() and path.read_text(encoding="utf-8") != text:
        raise UserError(
            f"{checkpoints} has checkpoints of a training with other settings: choose another "
            "output_dir, or remove it"
        )
    checkpoints.mkdir(exist_ok=True)
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def begun_in(checkpoints: Path, steps: int, journal: Journal) -> Path | None:
    """The last checkpoint that is whole, its journal told; None where there is none.

    Raises:
        UserError: where it is further than a training of so many steps goes.
    """
    found = [path.parent for path in checkpoints.glob(f"checkpoint-*/{JOURNAL}")]
    if not found:
        return None
    last = max(found, key=step_of)
    if step_of(last) > steps:
        raise UserError(f"trainer.steps={steps}: {last} is further already")
    log.info("going on from %s", last)
    journal.load(last / JOURNAL)
    return last


def step_of(checkpoint: Path) -> int:
    """After which it was written."""
    return int(checkpoint.name.split("-")[1])
