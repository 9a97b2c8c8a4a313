"""What trainers have in common that train a model and measure it on problems held out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.names import EVENTS, METRICS
from curriculum.core.prompts import Prompts
from curriculum.core.records import Sample, evenly
from curriculum.core.terminal import console, plain_table, shown
from curriculum.samplers.base import AtLeastOne
from curriculum.trainers.base import Log, Tasks, Trainer, Training
from curriculum.trainers.parts.checkpoints import require_same
from curriculum.trainers.parts.journal import Journal

Positive = Annotated[float, Field(gt=0)]

REPORTED = ("gain", "targets")  # of what was trained, and nothing that it depends on


class Work(NamedTuple):
    """What there is to do for one of them."""

    prompts: Prompts
    training: Training
    tasks: Tasks
    journal: Journal
    folder: Path  # of the checkpoints


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
    targets: list[Annotated[float, Field(gt=0, lt=1)]] | None = None
    files: ClassVar = (METRICS, EVENTS)
    holds_out: ClassVar = True
    needs_measured: ClassVar = False
    by: ClassVar[str]  # what trains, in words
    option: ClassVar[str]  # the trainer's, and the folder of its checkpoints in the run's

    def with_model(self, find: Callable[[str], str]) -> Self:
        """See `Trainer`."""
        return replace(self, model=find(str(self.model)))

    @abstractmethod
    def train(self, work: Work) -> None:
        """Train, from the last checkpoint in the folder where there is one, and journal it.

        Raises:
            UserError: where the model can't be loaded, or a size does not fit.
        """
        ...

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        checkpoints, journal = folder / self.option, Journal(prompts, training, log)
        require_same(checkpoints, self.made_of(prompts, training))
        with training.tasks() as tasks:
            if not len(tasks.held_out):
                raise UserError("no problem is held out to measure on: export.val_fraction=0.1")
            self.train(Work(prompts, training, tasks, journal, checkpoints))
            measured = min(len(tasks.held_out), self.eval_problems)
        return {
            "trainer": self.option,
            "measured": f"of {measured} problems held out, {self.eval_samples} rollouts each",
            "steps": training.schedule.steps,
            "batch_size": training.schedule.batch_size,
            "group_size": training.schedule.group_size,
            "gain_wanted": self.gain,
            "arms": {training.option: journal.summary(self.gain, self.targets)},
        }

    def show(self, results: Mapping[str, Any], written: Sequence[Path]) -> None:
        """See `Trainer`."""
        out = console()
        out.print(
            f"\nTrained {self.by}: {results['steps']:,} batches of {results['batch_size']} "
            f"prompts, {results['group_size']} rollouts each",
            style="bold",
        )
        table = plain_table(None, "")
        for name, arm in results["arms"].items():
            table.add_column(name, justify="right")
            table.add_row("held-out pass rate, before", f"{arm['pass_rate_before']:.3f}")
            table.add_row(f"after {arm['rollouts']:,} rollouts", f"{arm['pass_rate_after']:.3f}")
            if arm["measured_rollouts"]:
                table.add_row("rollouts measured before", f"{arm['measured_rollouts']:,}")
            table.add_row("groups with a gradient", f"{arm['groups_with_gradient']:.0%}")
            table.add_row("prompts never drawn", f"{arm['never_drawn']:,} of {arm['prompts']:,}")
        out.print(table)
        out.print(f" {results['measured']}", style="dim")
        for path in written:
            out.print(f" {shown(path)}", soft_wrap=True)

    def measured_on(self, tasks: Tasks) -> tuple[Prompts, Sequence[Sample]]:
        """Problems held out, spread over the data, and what each asks."""
        some = tasks.held_out.take(evenly(len(tasks.held_out), self.eval_problems))
        return some, tasks.asked(some)

    def made_of(self, prompts: Prompts, training: Training) -> dict[str, Any]:
        """All that a training that goes on must have been begun with."""
        own = {name: value for name, value in asdict(self).items() if name not in REPORTED}
        schedule = asdict(training.schedule)
        del schedule["steps"]  # a training may be made longer
        return {
            "trainer": own,
            "sampler": f"{training.sampler}, {training.guards}",
            "schedule": schedule,
            "seed": training.seed,
            "prompts": prompts.digest,
        }
