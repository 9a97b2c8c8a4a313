"""`trainer=trl`: TRL's GRPOTrainer, with the prompts that the sampler draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError, require_extra
from curriculum.core.prompts import Prompts
from curriculum.core.terminal import console, plain_table, shown
from curriculum.trainers.base import Log, Training
from curriculum.trainers.parts.journal import Journal
from curriculum.trainers.parts.model_trainer import ModelTrainer, require_same

FOLDER = "trl"  # in the run's: checkpoints


@dataclass(frozen=True)
class Trl(ModelTrainer):
    """Trains a Hugging Face model with GRPO, and measures it on problems held out as it goes.

    A run that was killed goes on from its last checkpoint where the same command is given again.
    """

    args: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("trainer=trl needs a model: model.path=NAME_OR_FOLDER or small")
        require_extra("trainer=trl", "trl", "trl", "torch")

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        from curriculum.trainers.parts.grpo import train

        checkpoints, journal = folder / FOLDER, Journal(prompts, training, log)
        require_same(checkpoints, self.made_of(prompts, training))
        with training.tasks() as tasks:
            if not len(tasks.held_out):
                raise UserError("no problem is held out to measure on: export.val_fraction=0.1")
            train(self, self.args or {}, prompts, training, tasks, journal, checkpoints)
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
