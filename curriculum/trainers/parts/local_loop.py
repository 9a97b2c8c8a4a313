"""GRPO of a small model, step by step: draw, roll out, score, observe, learn."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from curriculum.core.atomic import whole_folder
from curriculum.core.errors import UserError
from curriculum.core.progress import progress
from curriculum.core.prompts import Observations
from curriculum.core.records import Integers, Sample
from curriculum.integrations.chats import token_ids
from curriculum.integrations.metrics import numbers_of
from curriculum.trainers.parts.checkpoints import JOURNAL, begun_in, step_of
from curriculum.trainers.parts.held_out import measure, told
from curriculum.trainers.parts.llama import Llama
from curriculum.trainers.parts.model_trainer import ModelTrainer, Work
from curriculum.trainers.parts.policy import Policy, advantages_of, lengths

log = logging.getLogger(__name__)

STATE, CURRICULUM = "state.pt", "curriculum.npz"  # in each checkpoint
MODEL = "model"  # beside the checkpoints, when all steps are done
KEPT = 2  # checkpoints
MAX_NEW_TOKENS = 512  # where neither run nor model says
GREATEST_NORM = 1.0  # of the gradient


@contextmanager
def one_thread() -> Iterator[None]:
    """Small sums are slower on several threads, and differ from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def train(settings: ModelTrainer, work: Work) -> None:
    """Train, from the last checkpoint in the folder where there is one.

    Raises:
        UserError: where the model can't be loaded.
    """
    steps, journal, folder = work.training.schedule.steps, work.journal, work.folder
    run = Run(settings, work)
    begun = begun_in(folder, steps, journal)
    if begun is None:
        journal.begun()
        for event in run.curriculum.started:
            journal.event(0, event)
        run.measure()
    else:
        run.load(begun)
    with progress(f"training, {work.training.option}", "steps", steps) as advance:
        advance(run.step)
        while run.step < steps:
            run.train_on_a_batch()
            if run.step % settings.eval_every == 0 or run.step == steps:
                run.measure()
            if run.step % settings.save_every == 0 or run.step == steps:
                run.save(folder)
            advance(1)
    with whole_folder(folder / MODEL) as partial:
        run.model.save_pretrained(partial)


class Run:
    """A model in training."""

    def __init__(self, settings: ModelTrainer, work: Work) -> None:
        path = Path(str(settings.model))
        if not path.is_dir():
            raise UserError(f"model.path={path}: trainer=local wants a folder with a checkpoint")
        self._settings, self._training, self._tasks = settings, work.training, work.tasks
        self._journal = work.journal
        self.model, self._tokenizer = Llama(path), _tokenizer(path)
        sampling = _sampling(path)
        self._limit = settings.max_new_tokens or sampling.get("max_new_tokens") or MAX_NEW_TOKENS
        end = {
            self._tokenizer.eos_token_id,
            *np.atleast_1d(sampling.get("eos_token_id", [])).tolist(),
        }
        self._policy = Policy(self.model, sorted(end), settings.temperature)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=0.0
        )
        self._asked = work.tasks.asked(work.prompts)
        self._ids = token_ids(self._tokenizer, [each.prompt for each in self._asked])
        self._held_out = settings.measured_on(work.tasks)
        self.curriculum = work.training.curriculum(work.prompts)
        self.step = self._tokens = 0

    def train_on_a_batch(self) -> None:
        """Draw prompts, roll them out, tell the sampler what came back, and learn from it."""
        self.step += 1
        drawn = self.curriculum.next_batch()
        group = self._training.schedule.group_size
        ids = [self._ids[row] for row in drawn]
        responses = self._policy.respond(ids, group, self._limit, self._rng(0))
        rewards = self._score(drawn, responses)
        self._observe(drawn, rewards)
        self._learn(ids, responses, advantages_of(rewards))
        self._tokens += int(lengths(responses).sum())
        self._journal.step(self.step, {"tokens": float(self._tokens)})

    def measure(self) -> None:
        """How it does on the problems held out."""
        found = measure(self._respond, self._tasks, self._held_out, self._settings.eval_samples)
        self._journal.step(self.step, found)
        log.info(told(self.step, found))

    def save(self, folder: Path) -> None:
        """Write a checkpoint, its journal last, and remove old ones."""
        checkpoint = folder / f"checkpoint-{self.step}"
        checkpoint.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "tokens": self._tokens,
        }
        torch.save(state, checkpoint / STATE)
        self.curriculum.save(checkpoint / CURRICULUM)
        self._journal.save(checkpoint / JOURNAL)
        for old in sorted(folder.glob("checkpoint-*"), key=step_of)[:-KEPT]:
            shutil.rmtree(old)

    def load(self, checkpoint: Path) -> None:
        """Go on from there."""
        self.step = step_of(checkpoint)
        self.curriculum.load(checkpoint / CURRICULUM)
        state = torch.load(checkpoint / STATE, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._tokens = state["tokens"]

    def _rng(self, what: int) -> torch.Generator:
        """Of a step's rollouts, or of its measurement: a run that goes on needs no other state."""
        seed = np.random.SeedSequence([self._training.seed, self.step, what])
        return torch.Generator().manual_seed(int(seed.generate_state(1)[0]))

    def _score(self, drawn: Integers, responses: Tensor) -> Tensor:
        """(B, G) rewards, NaN where there is none."""
        texts = self._texts(responses)
        samples = [
            self._asked[row]._replace(response=text)
            for row, own in zip(drawn.tolist(), texts, strict=True)
            for text in own
        ]
        return torch.tensor(self._tasks.score(samples)).view(responses.shape[:2])

    def _observe(self, drawn: Integers, rewards: Tensor) -> None:
        rows, flat = np.repeat(drawn, rewards.shape[1]), rewards.double().numpy().ravel()
        passed, answered = self._tasks.passes(flat), np.isfinite(flat)
        observations = Observations.of_rollouts(rows, flat, passed, answered)
        for event in self.curriculum.observe(observations):
            self._journal.event(self.step, event)
        numbers = numbers_of(self.curriculum, observations)
        self._journal.trained(self.step, drawn, numbers)

    def _learn(self, ids: Sequence[list[int]], responses: Tensor, advantages: Tensor) -> None:
        """One step of the optimiser; without a gradient it still moves by its momentum."""
        tokens = float(lengths(responses).sum())
        groups = torch.nonzero(advantages.abs().sum(1) > 0).flatten().tolist()
        rows = [(group, sample) for group in groups for sample in range(responses.shape[1])]
        size = self._settings.micro_batch or max(len(rows), 1)
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            of_group, of_sample = (torch.tensor(each) for each in zip(*some, strict=True))
            self._policy.loss(
                [ids[group] for group, _ in some],
                responses[of_group, of_sample],
                advantages[of_group, of_sample],
                tokens,
            ).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), GREATEST_NORM)
        self._optimizer.step()

    def _respond(self, asked: Sequence[Sample], samples: int) -> list[list[str]]:
        ids = token_ids(self._tokenizer, [each.prompt for each in asked])
        return self._texts(self._policy.respond(ids, samples, self._limit, self._rng(1)))

    def _texts(self, responses: Tensor) -> list[list[str]]:
        flat = [
            own[:length]
            for own, length in zip(
                responses.flatten(0, 1).tolist(), lengths(responses).flatten().tolist(), strict=True
            )
        ]
        texts = self._tokenizer.batch_decode(flat, skip_special_tokens=True)
        each = responses.shape[1]
        return [texts[start : start + each] for start in range(0, len(texts), each)]


def _tokenizer(path: Path) -> Any:
    from transformers import PreTrainedTokenizerFast  # AutoTokenizer takes three seconds to import

    try:
        return PreTrainedTokenizerFast.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise UserError(f"model.path={path} has no tokenizer.json: {error}") from error


def _sampling(path: Path) -> dict[str, Any]:
    """What the checkpoint says of generation, if anything."""
    file = path / "generation_config.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return content
