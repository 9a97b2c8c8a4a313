"""`trainer=verl`: verl in a process of its own, on the run's stages, with the run's sampler."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from curriculum.core.errors import UserError
from curriculum.core.names import EVENTS, METRICS
from curriculum.core.program import install
from curriculum.core.prompts import Event, Prompts
from curriculum.core.terminal import console, shown
from curriculum.integrations.verl.command import arguments, written
from curriculum.integrations.verl.log import FOLDER as LOGS
from curriculum.integrations.verl.log import METRICS as STEPS
from curriculum.integrations.verl.log import Log as VerlLog
from curriculum.samplers.base import AtLeastOne
from curriculum.trainers.base import Log, Trainer, Training
from curriculum.trainers.parts.journal import columns_of

log = logging.getLogger(__name__)

FOLDER, MAIN = "verl", "verl.trainer.main_ppo"  # in the run's: checkpoints
PATIENCE = 30.0  # seconds that it may take to end


@dataclass(frozen=True)
class Verl(Trainer):
    """Launches `python -m verl.trainer.main_ppo`; the same command again goes on where it saved."""

    args: list[str] = field(default_factory=list)
    python: str | None = None
    save_every: AtLeastOne = 50
    files: ClassVar = (METRICS, EVENTS)
    layouts: ClassVar = ("stages",)

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        python = self.python or sys.executable
        version = _version(python)
        command = self._command(version, training, folder)
        checkpoints = folder / FOLDER
        VerlLog(str(checkpoints)).cut(_saved(checkpoints))  # what is not gone on from
        followed = _Followed(checkpoints / LOGS, training, log)
        with _process([python, *command]) as process:
            while process.poll() is None:
                time.sleep(1)
                followed.tell()
        followed.tell()
        if process.returncode:
            raise UserError(f"verl ended with exit code {process.returncode}; it says why above")
        followed.require(training.schedule.steps)
        return {
            "trainer": "verl",
            "version": version,
            "command": command,
            "steps": training.schedule.steps,
            "batch_size": training.schedule.batch_size,
            "group_size": training.schedule.group_size,
            "arms": {},
        }

    def show(self, results: Mapping[str, Any], written: Sequence[Path]) -> None:
        """See `Trainer`."""
        out = console()
        out.print(f"\nTrained with verl {results['version']}", style="bold")
        for path in written:
            out.print(f" {shown(path)}", soft_wrap=True)

    def _command(self, version: str, training: Training, folder: Path) -> list[str]:
        """Raises UserError where `args` set what is the run's."""
        own = _of_the_run(training, folder)
        more = {"threshold": training.threshold, "strict": training.strict}
        of_sampler = (training.option, training.sampler, training.guards)
        own += arguments(version, folder, *of_sampler, more)
        names = {_key(each) for each in own} | {"trainer.resume_mode", "data.gen_batch_size"}
        taken = [each for each in self.args if _key(each) in names]
        if taken:
            raise UserError(
                f"trainer.args: {taken[0]} is the run's to say: trainer.steps, batch_size and "
                "group_size, seed, sampler and its keys, output_dir"
            )
        if not any("custom_reward_function" in each for each in self.args):
            log.warning(
                "verl scores with its own functions by data source, whatever reward= is here; "
                "trainer.args with reward.custom_reward_function.path=FILE give it yours"
            )
        return ["-m", MAIN, f"trainer.save_freq={self.save_every}", *own, *self.args]


def _key(argument: str) -> str:
    return argument.lstrip("+~").partition("=")[0]


def _of_the_run(training: Training, folder: Path) -> list[str]:
    """Stages, sizes and where checkpoints go."""
    schedule = training.schedule
    stages = {
        split: [str(path.resolve()) for path in training.files if path.match(f"*_{split}.parquet")]
        for split in ("train", "val")
    }
    if any("cumulative_stage" in path for path in stages["train"]):
        raise UserError("trainer=verl trains on each problem's row once: export.cumulative=false")
    if not stages["val"]:
        raise UserError("verl wants a file to validate on: export.val_fraction=0.1")
    return [
        f"data.train_files={written(stages['train'])}",
        f"data.val_files={written(stages['val'])}",
        f"data.train_batch_size={schedule.batch_size}",
        f"data.seed={training.seed}",
        f"actor_rollout_ref.rollout.n={schedule.group_size}",
        f"trainer.total_training_steps={schedule.steps}",
        f"trainer.total_epochs={schedule.steps}",  # each has a step at least
        f"trainer.default_local_dir={written(str((folder / FOLDER).resolve()))}",
    ]


def _saved(checkpoints: Path) -> int:
    """The step that verl goes on from; -1: it begins anew."""
    path = checkpoints / "latest_checkpointed_iteration.txt"
    return int(path.read_text()) if path.exists() else -1


class _Followed:
    """Lines that the curriculum writes in verl's process, told as they come."""

    def __init__(self, folder: Path, training: Training, log: Log) -> None:
        self._folder, self._log, self._group_size = folder, log, training.schedule.group_size
        self._told = {STEPS: 0, EVENTS: 0}  # lines
        self._rollouts, self._steps = 0, 0

    def tell(self) -> None:
        """What is new; of a training that goes on, what was before it too."""
        for line in self._new(STEPS):
            self._steps = line.pop("batch")
            self._rollouts += int(line["sampler/groups"]) * self._group_size
            self._log.log(self._steps, columns_of(line, self._rollouts))
        for line in self._new(EVENTS):
            step, kind, text = line.pop("batch"), line.pop("event"), line.pop("text")
            self._log.event(step, Event(kind, text, line))

    def require(self, steps: int) -> None:
        """Raise UserError where verl has trained fewer; up to 0.8 it does not tell of the last."""
        if self._steps < steps - 1:
            raise UserError(
                f"verl has ended well after {self._steps} of {steps} batches; it says why above"
            )

    def _new(self, name: str) -> Iterator[dict[str, Any]]:
        path = self._folder / name
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("\n")]
            for line in whole[self._told[name] :]:
                self._told[name] += 1
                yield json.loads(line)


@contextmanager
def _process(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Ends with what happens here, Ctrl-C and SIGTERM too."""
    log.info("%s", " ".join(command))
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _version(python: str) -> str:
    """Raises UserError where verl is not there."""
    code = "from importlib.metadata import version; print(version('verl'), end='')"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    except OSError as error:
        raise UserError(f"trainer.python={python}: {error}") from error
    if done.returncode:
        raise UserError(
            f"trainer=verl: {python} has no verl. {install('verl')}, or name the Python of "
            "an environment that has it and this package: trainer.python=PATH"
        )
    return done.stdout
