"""TRL's trainer, told what to train on and followed step by step."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
from transformers.utils import logging as transformers_logging
from trl import GRPOConfig, GRPOTrainer

from curriculum.core.errors import UserError
from curriculum.core.progress import progress
from curriculum.core.records import Sample
from curriculum.integrations.chats import messages_of, plain_text
from curriculum.integrations.rows import INDEX
from curriculum.integrations.trl import ROW, CurriculumMixin, text_of
from curriculum.trainers.base import Tasks, Training
from curriculum.trainers.parts.checkpoints import JOURNAL, begun_in, step_of
from curriculum.trainers.parts.held_out import measure, responses_of, told
from curriculum.trainers.parts.journal import Journal
from curriculum.trainers.parts.model_trainer import ModelTrainer, Work

log = logging.getLogger(__name__)

UNTRUSTED = {"trust_remote_code": False}  # unset, transformers would ask at the terminal
MAX_NEW_TOKENS = 512  # where neither run nor model says
# Of GRPOConfig, with what `_config` sets: a step is a batch, logged, and a checkpoint's at its end.
COUNTED_BY = (
    *("num_iterations", "steps_per_generation", "generation_batch_size"),
    *("save_strategy", "logging_strategy"),
)


class CurriculumTrainer(CurriculumMixin, GRPOTrainer):
    """TRL's, with a curriculum."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars of models that are saved, and what TRL's use of transformers warns of."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
        yield
    if shown:
        transformers_logging.enable_progress_bar()


@quiet()
def train(settings: ModelTrainer, args: Mapping[str, Any], work: Work) -> None:
    """Train, from the last checkpoint in the folder where there is one.

    Raises:
        UserError: where the model can't be loaded, or a size does not fit.
    """
    prompts, training, tasks, journal, folder = work
    steps = training.schedule.steps
    begun = begun_in(folder, steps, journal)
    model, tokenizer = _loaded(str(settings.model))
    limit = settings.max_new_tokens or model.generation_config.max_new_tokens or MAX_NEW_TOKENS
    asked = tasks.asked(prompts)
    rows = [
        {"prompt": _prompt(tokenizer, each.prompt), "extra_info": {INDEX: int(index)}}
        for each, index in zip(asked, prompts.index, strict=True)
    ]
    trainer = CurriculumTrainer(
        model,
        _reward(asked, tasks),
        _config(settings, args, training, limit, folder),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        curriculum=training.curriculum(prompts),
        passes=tasks.passes,
        on_event=journal.event,
    )
    trainer.remove_callback(PrinterCallback)
    with progress(f"training, {training.option}", "steps", steps) as advance:
        trainer.add_callback(_Follower(settings, training, tasks, journal, trainer, advance))
        if begun is None or step_of(begun) < steps:  # TRL would do one more
            trainer.train(resume_from_checkpoint=None if begun is None else str(begun))


class _Follower(TrainerCallback):
    """Writes the journal, and measures the model on what is held out."""

    def __init__(
        self,
        settings: ModelTrainer,
        training: Training,
        tasks: Tasks,
        journal: Journal,
        trainer: CurriculumTrainer,
        advance: Callable[[int], None],
    ) -> None:
        self._settings, self._training, self._tasks = settings, training, tasks
        self._journal, self._trainer, self._advance = journal, trainer, advance
        self._problems = settings.measured_on(tasks)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Before the first step; one that goes on has been measured."""
        self._advance(state.global_step)
        if not state.global_step:
            self._journal.begun()
            self._measure(0)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """A step's numbers, those of the last at the end of all aside."""
        if any(name.startswith("sampler/") for name in logs):
            numbers = {name: value for name, value in logs.items() if name.startswith("sampler/")}
            others = {f"trl/{name}": value for name, value in logs.items() if name not in numbers}
            self._journal.trained(state.global_step, self._trainer.drawn, numbers)
            known = {name: float(value) for name, value in others.items() if value is not None}
            self._journal.step(state.global_step, known)
            self._advance(1)
            due = state.global_step % self._settings.eval_every == 0
            if due or state.global_step == self._training.schedule.steps:
                self._measure(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Beside the checkpoint."""
        folder = Path(args.output_dir, f"checkpoint-{state.global_step}")
        self._journal.save(folder / JOURNAL)

    def _measure(self, step: int) -> None:
        samples = self._settings.eval_samples
        found = measure(partial(self._respond, step), self._tasks, self._problems, samples)
        self._journal.step(step, found)
        log.info(told(step, found))

    def _respond(self, step: int, asked: Sequence[Sample], samples: int) -> list[list[str]]:
        trainer = self._trainer
        model = trainer.accelerator.unwrap_model(trainer.model)
        of_training = (trainer.generation_config, self._training.seed + step)
        return responses_of(model, trainer.processing_class, asked, samples, *of_training)


def _loaded(path: str) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left", **UNTRUSTED)
        # Of 16 bits, weights would not move by small steps; on a GPU TRL computes in bf16 still.
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, **UNTRUSTED)
    except (OSError, ValueError) as error:
        raise UserError(f"model.path={path} can't be loaded: {error}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def _prompt(tokenizer: Any, prompt: Any) -> Any:
    """What TRL makes the same tokens of as the generators do: a chat where there is a template."""
    return plain_text(prompt) if tokenizer.chat_template is None else messages_of(prompt)


def _reward(asked: Sequence[Sample], tasks: Tasks) -> Callable[..., list[float | None]]:
    def reward(completions: Sequence[Any], **columns: Any) -> list[float | None]:
        rows = zip(columns[ROW], completions, strict=True)
        rewards = tasks.score([asked[row]._replace(response=text_of(each)) for row, each in rows])
        return [None if np.isnan(each) else each for each in rewards]

    return reward


def _config(
    settings: ModelTrainer, args: Mapping[str, Any], training: Training, limit: int, folder: Path
) -> Any:
    """What `trainer.args` says is TRL's, and goes before."""
    schedule, gpus = training.schedule, torch.cuda.device_count()
    if gpus > 1:
        raise UserError(f"trainer=trl takes one GPU, and {gpus} are seen: CUDA_VISIBLE_DEVICES=0")
    rollouts = schedule.batch_size * schedule.group_size
    micro = settings.micro_batch or rollouts
    if rollouts % micro:
        raise UserError(f"trainer.micro_batch={micro}: no part of the {rollouts} of a batch")
    own = {
        "max_steps": schedule.steps,
        "num_generations": schedule.group_size,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": rollouts // micro,
        "max_completion_length": limit,
        "temperature": settings.temperature,
        "learning_rate": settings.learning_rate,
        "logging_steps": 1,
        "save_steps": settings.save_every,
        "seed": training.seed,
        "output_dir": str(folder),
    }
    if owned := sorted(args.keys() & {*own, *COUNTED_BY}):
        raise UserError(
            f"trainer.args.{owned[0]} is set by the run, which counts by it; keys of its own are "
            "trainer.steps, batch_size, group_size, micro_batch, learning_rate, temperature, "
            "max_new_tokens, save_every, and seed"
        )
    free = {
        "lr_scheduler_type": "constant",
        "save_total_limit": 2,
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": not gpus,
        "bf16": bool(gpus),
    }
    try:
        return GRPOConfig(**own, **{**free, **args})
    except (TypeError, ValueError) as error:
        raise UserError(f"trainer.args: {error}") from error
