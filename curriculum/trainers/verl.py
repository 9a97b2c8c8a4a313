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
from curriculum.core.prompts import Event, Prompts
from curriculum.core.terminal import console, shown
from curriculum.integrations.verl.command import arguments, written
from curriculum.integrations.verl.log import FOLDER as LOG
from curriculum.integrations.verl.log import METRICS as STEPS
from curriculum.trainers.base import Log, Trainer, Training
from curriculum.trainers.parts.journal import columns_of

log = logging.getLogger(__name__)

FOLDER = "verl"  # in the run's: checkpoints
PATIENCE = 30.0  # seconds that it may take to end


@dataclass(frozen=True)
class Verl(Trainer):
    """Launches `python -m verl.trainer.main_ppo`; the same command again goes on where it was."""

    args: list[str] = field(default_factory=list)
    python: str | None = None
    files: ClassVar = (METRICS, EVENTS)
    layouts: ClassVar = ("stages",)

    def run(self, prompts: Prompts, training: Training, log: Log, folder: Path) -> dict[str, Any]:
        """See `Trainer`."""
        python = self.python or sys.executable
        version = _version(python)
        command = [python, "-m", "verl.trainer.main_ppo"]
        command += _of_the_run(prompts, training, folder)
        more = {"threshold": training.threshold, "strict": training.strict}
        own = (training.option, training.sampler, training.guards)
        command += [*arguments(version, folder, *own, more), *self.args]
        followed = _Followed(folder / FOLDER / LOG, training, log)
        with _process(command) as process:
            while process.poll() is None:
                time.sleep(1)
                followed.tell()
        followed.tell()
        if process.returncode:
            raise UserError(f"verl ended with exit code {process.returncode}; it says why above")
        schedule = training.schedule
        return {
            "trainer": "verl",
            "version": version,
            "command": command,
            "steps": schedule.steps,
            "batch_size": schedule.batch_size,
            "group_size": schedule.group_size,
            "arms": {},
        }

    def show(self, results: Mapping[str, Any], written: Sequence[Path]) -> None:
        """See `Trainer`."""
        out = console()
        out.print(f"\nTrained with verl {results['version']}", style="bold")
        for path in written:
            out.print(f" {shown(path)}", soft_wrap=True)


def _of_the_run(prompts: Prompts, training: Training, folder: Path) -> list[str]:
    """Stages, sizes and where checkpoints go."""
    schedule = training.schedule
    stages = {
        split: [str(path.resolve()) for path in training.files if path.match(f"*_{split}.parquet")]
        for split in ("train", "val")
    }
    if not stages["val"]:
        raise UserError("verl wants a file to validate on: export.val_fraction=0.1")
    epochs = schedule.steps // max(1, len(prompts) // schedule.batch_size) + 1
    return [
        f"data.train_files={written(stages['train'])}",
        f"data.val_files={written(stages['val'])}",
        f"data.train_batch_size={schedule.batch_size}",
        f"data.seed={training.seed}",
        f"actor_rollout_ref.rollout.n={schedule.group_size}",
        f"trainer.total_training_steps={schedule.steps}",
        f"trainer.total_epochs={epochs}",
        f"trainer.default_local_dir={written(str((folder / FOLDER).resolve()))}",
    ]


class _Followed:
    """Lines that the curriculum writes in verl's process, told as they come."""

    def __init__(self, folder: Path, training: Training, log: Log) -> None:
        self._folder, self._log = folder, log
        schedule = training.schedule
        self._group = schedule.batch_size * schedule.group_size
        self._told = {STEPS: 0, EVENTS: 0}  # lines

    def tell(self) -> None:
        """What is new. A training that goes on has its earlier lines in the files too."""
        for line in self._new(STEPS):
            step = line.pop("batch")
            self._log.log(step, columns_of(line, step * self._group))
        for line in self._new(EVENTS):
            event = Event(line.pop("event"), line.pop("text"), line)
            self._log.event(line.pop("batch"), event)

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
            f"trainer=verl: {python} has no verl. pip install -e '.[verl]', or name the Python of "
            "an environment that has it and this package: trainer.python=PATH"
        )
    return done.stdout
