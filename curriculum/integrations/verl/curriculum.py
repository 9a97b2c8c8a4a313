"""A curriculum of the rows of verl's dataset, for its trainers of every version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Mask, Observations, Prompts
from curriculum.core.records import Floats, reaches
from curriculum.integrations.metrics import numbers_of
from curriculum.integrations.rows import INDEX, prompts_of
from curriculum.integrations.verl.log import Log
from curriculum.integrations.verl.options import Options, at
from curriculum.samplers import Curriculum, Guards, Sampler

SILENCE = 20  # batches without feedback after which something is wrong


class DatasetCurriculum:
    """What verl's loader iterates over, and what is told of rewards by extra_info.index.

    Rewards are collected (`add`) until a batch is over (`observe`). The state says how many batches
    that were.
    """

    def __init__(
        self,
        dataset: Any,
        config: Any,
        batch_size: int,
        chosen: tuple[Options, Guards, Sampler],
        where: str,
    ) -> None:
        """Begin anew.

        Args:
            dataset: verl's, whose rows have extra_info.index or are numbered here.
            config: all of verl's configuration.
            batch_size: prompts in a batch.
            chosen: what the block `where` of the configuration says.

        Raises:
            UserError: where rows and run, or batch and prompts, don't fit.
        """
        options, guards, sampler = chosen
        group_size = options.group_size or at(config, "actor_rollout_ref.rollout.n") or 8
        self.where, self._options = where, options
        self._row_of, prompts = _rows_of(dataset, options.run, where)
        rng = np.random.default_rng([at(config, "data.seed") or 0, 0])
        self.curriculum = Curriculum(sampler, prompts, batch_size, guards, rng, group_size)
        self.log = Log(at(config, "trainer.default_local_dir"))
        self.batches = 0  # whose rewards were told
        self._drawn: Counter[int] = Counter()  # how often rows of which nothing has come back
        self._unanswered = 0  # draws since rewards last came
        self._heard = False  # whether any have come
        self._rows: list[int] = []  # of the rollouts of this batch, and their rewards
        self._rewards: list[float] = []
        print(
            f"{where}: {type(sampler).__name__} draws from {len(prompts):,} prompts of "
            f"{len(prompts.sources)} sources, in batches of {batch_size} x {group_size}",
            flush=True,
        )
        self._begun = False  # whether it has drawn, or goes on

    def __len__(self) -> int:
        return len(self.curriculum)

    def __iter__(self) -> Iterator[int]:
        if not self._begun:
            self.log.begin(self.curriculum.started)
            self._begun = True
        for row in self.curriculum:  # lazily: the loader asks twice where it resumes
            self._drawn[row] += 1
            self._unanswered += 1
            if self._unanswered > SILENCE * self.curriculum.batch_size:
                raise UserError(
                    f"{SILENCE} batches were drawn and no reward has come back: this trainer tells "
                    "nothing of them, or drops all groups before"
                )
            yield row

    def add(self, infos: Sequence[Mapping[str, Any]], rewards: Floats) -> None:
        """Rollouts of this batch: extra_info and reward of each.

        Raises:
            UserError: where their prompts are not those that were drawn.
        """
        rows = [self._row_of.get(info.get(INDEX, -1), -1) for info in infos]
        strange = set(rows) - set(self._drawn)
        if strange:
            raise UserError(
                f"rewards have come for {len(strange)} prompts that were not drawn: "
                "extra_info.index does not survive the way through this trainer"
            )
        if not self._heard:
            print(f"{self.where}: the first rewards are of prompts that it drew", flush=True)
            self._heard = True
        self._rows += rows
        self._rewards += rewards.tolist()
        self._unanswered = 0

    def collected(self) -> Observations:
        """What has come of this batch; then another begins."""
        rows, rewards = np.array(self._rows, np.int64), np.array(self._rewards, np.float64)
        self._rows, self._rewards = [], []
        options = self._options
        passed: Mask = reaches(rewards, options.threshold, strict=options.strict)
        return Observations.of_rollouts(rows, rewards, passed)

    def observe(self, observations: Observations) -> dict[str, float]:
        """Learn from a batch; numbers of it and of the sampler after it."""
        self.batches += 1
        self._drawn -= Counter(observations.prompt.tolist())
        self.log.events(self.batches, self.curriculum.observe(observations))
        numbers = numbers_of(self.curriculum, observations)
        self.log.metrics(self.batches, numbers)
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """What the loader saves."""
        return {"updates": self.batches, "curriculum": self.curriculum.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there; what was logged of later batches is cut."""
        self.curriculum.load_state_dict(state["curriculum"])
        self.batches, self._begun = state["updates"], True
        self.log.cut(self.batches)


def accuracy_or(score: Floats, accuracy: Sequence[float | None]) -> Floats:
    """(R,) each rollout's `acc`, what its scorer calls right, where it says; else its score."""
    pairs = zip(accuracy, score.tolist(), strict=True)
    return np.array([other if said is None else float(said) for said, other in pairs], np.float64)


def _rows_of(dataset: Any, run: str | None, where: str) -> tuple[dict[int, int], Prompts]:
    """Where in the dataset each extra_info.index is, and the prompts in its order."""
    frame = dataset.dataframe
    infos = [dict(info or {}) for info in _column(frame, "extra_info")]
    sources = [str(source) for source in _column(frame, "data_source")]
    numbers = {info[INDEX] for info in infos if isinstance(info.get(INDEX), int)}
    if run is None and len(numbers) < len(infos):
        print(f"{where}: extra_info.{INDEX} is no number of its own in each row; rows are numbered")
        dataset.dataframe = frame.map(_numbered, with_indices=True)
        infos = [info | {INDEX: row} for row, info in enumerate(infos)]
    prompts = prompts_of(infos, sources, run, _column(frame, "prompt"))
    return {index: row for row, index in enumerate(prompts.index.tolist())}, prompts


def _column(frame: Any, name: str) -> Any:
    return frame[name] if name in frame.column_names else [None] * len(frame)


def _numbered(row: dict[str, Any], place: int) -> dict[str, Any]:
    return {"extra_info": (row.get("extra_info") or {}) | {INDEX: place}}
