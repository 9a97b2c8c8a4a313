"""What trainers have in common that train a model and measure it on problems held out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.names import EVENTS, METRICS
from curriculum.core.prompts import Prompts
from curriculum.core.records import Sample, evenly
from curriculum.samplers.base import AtLeastOne
from curriculum.trainers.base import Tasks, Trainer, Training

MADE_OF = "made_of.json"
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class ModelTrainer(Trainer):
    """Settings of training, measuring and saving; numbers as in its option's file."""

    model: str | None = None
    learning_rate: Positive = 1e-4
    temperature: Positive = 1.0
    max_new_tokens: AtLeastOne | None = None
    micro_batch: AtLeastOne | None = None
    eval_every: AtLeastOne = 10
    eval_problems: AtLeastOne = 256
    eval_samples: AtLeastOne = 4
    save_every: AtLeastOne = 50
    gain: Annotated[float, Field(gt=0, lt=1)] = 0.1
    files: ClassVar = (METRICS, EVENTS)
    holds_out: ClassVar = True

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Trainer`."""
        return replace(self, model=find(str(self.model)))

    def measured_on(self, tasks: Tasks) -> tuple[Prompts, Sequence[Sample]]:
        """Problems held out, spread over the data, and what each asks."""
        some = tasks.held_out.take(evenly(len(tasks.held_out), self.eval_problems))
        return some, tasks.asked(some)

    def made_of(self, prompts: Prompts, training: Training) -> dict[str, Any]:
        """All that a training that goes on must have been begun with."""
        own = {name: value for name, value in asdict(self).items() if name != "gain"}
        schedule = asdict(training.schedule)
        del schedule["steps"]  # a training may be made longer
        return {
            "trainer": own,
            "sampler": f"{training.sampler}, {training.guards}",
            "schedule": schedule,
            "seed": training.seed,
            "prompts": prompts.digest(),
        }


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
