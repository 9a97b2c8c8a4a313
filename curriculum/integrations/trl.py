"""TRL's GRPOTrainer, with a curriculum that says which prompts are rolled out.

    class Trainer(CurriculumMixin, GRPOTrainer): ...

    trainer = Trainer(model, rewards, args, train_dataset=rows, curriculum=curriculum)
    trainer.train()

TRL has no hook for this: four private methods of its trainer are overridden, in versions that
`pip install curriculum[trl]` allows. Where one is missing, the trainer does not start.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Mask, Observations
from curriculum.core.records import Floats, Integers, Sample, from_single, reaches
from curriculum.integrations.metrics import numbers_of
from curriculum.integrations.rows import INDEX, indices
from curriculum.samplers import Curriculum

if TYPE_CHECKING:
    from trl import GRPOTrainer as Base
else:
    Base = object  # the mixin stands before anyone's GRPOTrainer

log = logging.getLogger(__name__)

STATE = "curriculum.npz"  # in each checkpoint
ROW = "curriculum_row"  # column of what is generated for: the row of the curriculum
OVERRIDDEN = (
    "_generate_and_score_completions",
    "_calculate_rewards",
    "_save_checkpoint",
    "_load_optimizer_and_scheduler",
)


def at_half(rewards: Floats) -> Mask:
    """Rewards of 0.5 and above."""
    return reaches(rewards, 0.5, strict=False)


class CurriculumMixin(Base):
    """To be put before GRPOTrainer, or a subclass of it.

    The rows of `train_dataset` are those of the curriculum. A batch is drawn when completions are
    generated for it, whatever the dataloader has prefetched, and its rewards are told before the
    next: no feedback is late. Every process has the same curriculum and takes its part of the
    batch. Checkpoints hold the curriculum's state, and resume exactly.
    """

    def __init__(
        self,
        *args: Any,
        curriculum: Curriculum,
        passes: Callable[[Floats], Mask] = at_half,
        on_event: Callable[[int, Event], None] | None = None,
        **kwargs: Any,
    ) -> None:
        """As GRPOTrainer.

        Args:
            curriculum: made alike in every process.
            passes: which rewards pass; from 0.5 on, where nothing else is said.
            on_event: told the step and what a sampler did, in the main process; None: it is
                printed.

        Raises:
            UserError: where sizes, rows or checkpoints don't fit, or TRL's methods have moved.
        """
        trainer = super()
        missing = [name for name in OVERRIDDEN if not hasattr(trainer, name)]
        if missing:
            raise UserError(
                f"GRPOTrainer has no {', '.join(missing)} any more: install the TRL that "
                "`pip install 'curriculum[trl]'` does"
            )
        super().__init__(*args, **kwargs)
        self.curriculum, self._passes = curriculum, passes
        self._on_event = on_event or (lambda _, event: print(event.text))
        self.drawn: Integers = np.zeros(0, np.int64)  # rows of the batch that is trained on
        _check_sizes(self.args, self.num_generations, self.num_iterations, curriculum)
        _check_rows(self.train_dataset, curriculum)
        self._tell(curriculum.started, 0)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        if self.model.training:
            inputs = self._own_part(len(inputs))
        return super()._generate_and_score_completions(inputs)

    def _own_part(self, size: int) -> list[dict[str, Any]]:
        """The next batch's rows, each once a completion; of several processes, this one's."""
        accelerator = self.accelerator
        self.drawn = self.curriculum.next_batch()
        rows = np.repeat(self.drawn, self.num_generations)
        if len(rows) != size * accelerator.num_processes:
            raise UserError(
                f"TRL generates {size * accelerator.num_processes} completions at once, and the "
                f"curriculum has drawn prompts for {len(rows)}"
            )
        own = rows[accelerator.process_index * size :][:size]
        return [self.train_dataset[int(row)] | {ROW: int(row)} for row in own]

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: Any, completions: Any, completion_ids_list: Any
    ) -> Any:
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self.model.training:
            self._observe([each[ROW] for each in inputs], rewards)
        return rewards

    def _observe(self, own: list[int], rewards: Any) -> None:
        """Tell the curriculum; the rewards are those of all processes already."""
        from accelerate.utils import gather_object

        rows = np.array(gather_object(own), np.int64)
        if set(rows.tolist()) != set(self.drawn.tolist()) or len(rows) != len(rewards):
            raise UserError(
                "rewards have come for other prompts than were drawn: this TRL handles a batch "
                "otherwise than the one that the curriculum was tried with"
            )
        answered = ~rewards.isnan().all(1).cpu().numpy()
        weights = self.reward_weights.to(rewards)
        total = from_single((rewards * weights).nansum(1).float().cpu().numpy())
        observations = Observations.of_rollouts(rows, total, self._passes(total), answered)
        self._tell(self.curriculum.observe(observations), self.state.global_step + 1)
        numbers = self._metrics["train"]
        for name, value in numbers_of(self.curriculum, observations).items():
            numbers[name].append(value)

    def _tell(self, events: Sequence[Event], step: int) -> None:
        if self.accelerator.is_main_process:
            for event in events:
                self._on_event(step, event)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self.args.should_save:  # before TRL's own, which may send the checkpoint away
            name = f"checkpoint-{self.state.global_step}"
            folder = Path(self._get_output_dir(trial=trial), name)
            folder.mkdir(parents=True, exist_ok=True)
            self.curriculum.save(folder / STATE)
            if self._step % (self.args.steps_per_generation * self.num_iterations):
                log.warning(
                    "%s lies within a generation, which TRL does not save: resumed from there, the "
                    "training draws a new batch at once and differs from one that never stopped",
                    folder,
                )
        super()._save_checkpoint(model, trial)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self.curriculum.load(Path(checkpoint, STATE))


class Scores(Protocol):
    """What a reward of `curriculum.rewards` does."""

    def score(self, samples: Sequence[Sample]) -> Sequence[float]:
        """One number a sample."""
        ...


def reward_function(reward: Scores) -> Callable[..., list[float]]:
    """A reward of a run, for TRL on rows of stage files: `reward_function(ExactMatch())`.

    The ground truth is that of the row's `reward_model`; a chat's completion is its last message.
    """

    def score(
        prompts: Sequence[Any],
        completions: Sequence[Any],
        data_source: Sequence[str],
        reward_model: Sequence[dict[str, Any]],
        extra_info: Sequence[dict[str, Any] | None] | None = None,
        **_: Any,
    ) -> list[float]:
        infos = extra_info or [None] * len(prompts)
        rows = zip(data_source, prompts, completions, reward_model, infos, strict=True)
        samples = [
            Sample(source, prompt, text_of(completion), model.get("ground_truth"), info)
            for source, prompt, completion, model, info in rows
        ]
        return list(reward.score(samples))

    return score


def text_of(completion: Any) -> str:
    """A completion, a text or a chat: what the model said last."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def _check_sizes(args: Any, group_size: int, iterations: int, curriculum: Curriculum) -> None:
    if group_size != curriculum.group_size:
        raise UserError(
            f"num_generations={group_size}, but the curriculum was made with "
            f"group_size={curriculum.group_size}"
        )
    prompts = args.generation_batch_size / group_size
    if prompts != curriculum.batch_size:
        raise UserError(
            f"TRL generates for {prompts:g} prompts at once (generation_batch_size "
            f"{args.generation_batch_size} / num_generations {group_size}), but the curriculum was "
            f"made with batch_size={curriculum.batch_size}"
        )
    micro = math.lcm(args.steps_per_generation * iterations, args.gradient_accumulation_steps)
    every = micro // args.gradient_accumulation_steps
    if args.save_strategy == "steps" and args.save_steps >= 1 and args.save_steps % every:
        raise UserError(
            f"save_steps={args.save_steps}: a multiple of {every}. A checkpoint between two "
            "generations can't be resumed exactly, for TRL doesn't save what it has generated"
        )


def _check_rows(dataset: Any, curriculum: Curriculum) -> None:
    if len(dataset) != len(curriculum.prompts):
        raise UserError(
            f"train_dataset has {len(dataset)} rows and the curriculum {len(curriculum.prompts)} "
            "prompts: Curriculum.from_run(..., index=...) takes the extra_info.index of the rows"
        )
    infos = dataset["extra_info"] if "extra_info" in dataset.column_names else []
    if any(INDEX in (info or {}) for info in infos):
        index = indices(infos)
        if not np.array_equal(index, curriculum.prompts.index):
            raise UserError(
                "the rows of train_dataset are not the curriculum's prompts in their order: "
                "Curriculum.from_run(..., index=...) takes the extra_info.index of the rows"
            )
