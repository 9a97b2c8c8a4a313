"""`trainer=trl`: TRL's GRPOTrainer, with the prompts that the sampler draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError, require_extra
from curriculum.core.names import EVENTS, METRICS
from curriculum.core.prompts import Prompts
from curriculum.core.records import Sample, evenly
from curriculum.core.terminal import console, plain_table, shown
from curriculum.samplers.base import AtLeastOne
from curriculum.trainers.base import Log, Tasks, Trainer, Training
from curriculum.trainers.parts.journal import Journal

FOLDER = "trl"  # in the run's: checkpoints
MADE_OF = "made_of.json"
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Trl(Trainer):
    """Trains a Hugging Face model with GRPO, and measures it on problems held out as it goes.

    A run that was killed goes on from its last checkpoint where the same command is given again.
    """

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
    args: dict[str, Any] | None = None
    files: ClassVar = (METRICS, EVENTS)
    holds_out: ClassVar = True

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("trainer=trl needs a model: model.path=NAME_OR_FOLDER or small")
        require_extra("trainer=trl", "trl", "trl", "torch")

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Trainer`."""
        return replace(self, model=find(str(self.model)))

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        from curriculum.trainers.parts.grpo import train

        checkpoints, journal = folder / FOLDER, Journal(prompts, training, log)
        _require_same(checkpoints, self._made_of(prompts, training))
        with training.tasks() as tasks:
            if not len(tasks.held_out):
                raise UserError("no problem is held out to measure on: export.val_fraction=0.1")
            train(self, prompts, training, tasks, journal, checkpoints)
            measured = min(len(tasks.held_out), self.eval_problems)
        return {
            "trainer": "trl",
            "measured": f"of {measured} problems held out, {self.eval_samples} rollouts each",
            "steps": training.schedule.steps,
            "batch_size": training.schedule.batch_size,
            "group_size": training.schedule.group_size,
            "gain_wanted": self.gain,
            "arms": {training.option: journal.summary(self.gain)},
        }

    def measured_on(self, tasks: Tasks) -> tuple[Prompts, Sequence[Sample]]:
        """Problems held out, spread over the data, and what each asks."""
        some = tasks.held_out.take(evenly(len(tasks.held_out), self.eval_problems))
        return some, tasks.asked(some)

    def show(self, results: Mapping[str, Any], written: Sequence[Path]) -> None:
        """See `Trainer`."""
        out = console()
        out.print(
            f"\nTrained with TRL: {results['steps']:,} batches of {results['batch_size']} prompts, "
            f"{results['group_size']} rollouts each",
            style="bold",
        )
        table = plain_table(None, "")
        for name, arm in results["arms"].items():
            table.add_column(name, justify="right")
            table.add_row("held-out pass rate, before", f"{arm['pass_rate_before']:.3f}")
            table.add_row(f"after {arm['rollouts']:,} rollouts", f"{arm['pass_rate_after']:.3f}")
            table.add_row("groups with a gradient", f"{arm['groups_with_gradient']:.0%}")
            table.add_row("prompts never drawn", f"{arm['never_drawn']:,} of {arm['prompts']:,}")
        out.print(table)
        out.print(f" {results['measured']}", style="dim")
        for path in written:
            out.print(f" {shown(path)}", soft_wrap=True)

    def _made_of(self, prompts: Prompts, training: Training) -> dict[str, Any]:
        """All that a training that goes on must have been begun with."""
        own = {name: value for name, value in asdict(self).items() if name not in ("gain",)}
        schedule = asdict(training.schedule)
        del schedule["steps"]  # a training may be made longer
        return {
            "trainer": own,
            "sampler": f"{training.sampler}, {training.guards}",
            "schedule": schedule,
            "seed": training.seed,
            "prompts": prompts.digest(),
        }


def _require_same(checkpoints: Path, made_of: Mapping[str, Any]) -> None:
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
