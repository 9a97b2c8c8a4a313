"""Prompts as they are known before training, what comes back of them, what a sampler says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from curriculum.core.errors import UserError
from curriculum.core.posterior import JEFFREYS
from curriculum.core.records import Floats, Integers, reaches

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Prompts:
    """What is known of P prompts before training, all of it measured already."""

    source: Integers  # (P,) index into `sources`
    sources: list[str]  # some may have no prompt
    bucket: Integers  # (P,) index into `buckets`
    buckets: list[str]  # easy to hard
    difficulty: Floats  # (P,) by the run's metric, higher is harder
    n: Floats  # (P,) rollouts measured; 0: never seen
    c: Floats  # (P,) passes among them
    extra: Callable[[str, Integers], Floats]  # a number of some prompts' extra_info; UserError

    def __len__(self) -> int:
        return len(self.source)

    @property
    def pass_rate(self) -> Floats:
        """(P,) mean under Jeffreys' prior: 0.5 where nothing was measured."""
        return np.asarray((self.c + JEFFREYS[0]) / (self.n + sum(JEFFREYS)))

    def digest(self) -> str:
        """Changes when the prompts, or what was measured of them, do."""
        columns = (self.source, self.bucket, self.difficulty, self.n, self.c)
        return hashlib.sha256(b"".join(each.tobytes() for each in columns)).hexdigest()[:8]

    def of(self, source: str) -> Integers:
        """Rows of a source's prompts. Raises UserError where there is no such source."""
        if source not in self.sources:
            raise UserError(
                f"the sampler's source '{source}' is not in the data; there are: "
                f"{', '.join(self.sources)}"
            )
        return np.flatnonzero(self.source == self.sources.index(source))

    def take(self, rows: Integers) -> Prompts:
        """Some of the prompts; sources and buckets keep their numbers."""
        return replace(
            self,
            source=self.source[rows],
            bucket=self.bucket[rows],
            difficulty=self.difficulty[rows],
            n=self.n[rows],
            c=self.c[rows],
            extra=lambda name, some: self.extra(name, rows[some]),
        )


@dataclass(frozen=True)
class Observations:
    """Groups of rollouts that came back, a row a prompt.

    Groups may come late, in any order, some of a batch's now and some later, or never; each comes
    as a whole. Rollouts that were cut off or failed are in none of the numbers: they are not wrong
    answers. A group without any other rollout is left out.
    """

    prompt: Integers  # (G,) rows of the prompts, all different
    n: Integers  # (G,) rollouts
    passed: Integers  # (G,) of them
    reward: Floats  # (G,) mean
    lowest: Floats  # (G,)
    highest: Floats  # (G,)
    advantage: Floats  # (G,) mean of |reward - mean| / standard deviation; 0: no gradient

    def __len__(self) -> int:
        return len(self.prompt)

    @classmethod
    def of_rollouts(
        cls, prompt: Integers, reward: Floats, passed: Mask, answered: Mask | None = None
    ) -> Self:
        """Group R rollouts by prompt.

        Args:
            prompt, reward, passed: (R,).
            answered: (R,) False where a rollout was cut off or failed; None: nowhere.

        Raises:
            UserError: where a reward is no finite number.
        """
        if answered is not None:
            prompt, reward, passed = prompt[answered], reward[answered], passed[answered]
        order = np.argsort(prompt, kind="stable")
        reward = np.asarray(reward, np.float64)[order]
        if not np.isfinite(reward).all():
            raise UserError("rewards must be finite numbers; one that failed is not answered")
        unique, first, n = np.unique(prompt[order], return_index=True, return_counts=True)
        if not len(unique):
            none, zero = np.zeros(0, np.int64), np.zeros(0)
            return cls(none, none, none, zero, zero, zero, zero)
        mean = np.add.reduceat(reward, first) / n
        off = np.abs(reward - np.repeat(mean, n))
        lowest, highest = np.minimum.reduceat(reward, first), np.maximum.reduceat(reward, first)
        deviation = np.sqrt(np.add.reduceat(off**2, first) / n)
        mixed = reaches(highest, lowest, strict=True)  # equal ones may deviate by 1e-17, not 0
        advantage = np.add.reduceat(off, first) / n / np.where(mixed, deviation, 1) * mixed
        c = np.add.reduceat(passed[order].astype(np.int64), first)
        return cls(unique.astype(np.int64), n, c, mean, lowest, highest, advantage)

    def take(self, rows: npt.NDArray[Any]) -> Observations:
        """Some of the groups, by index or mask."""
        return Observations(*(getattr(self, each.name)[rows] for each in fields(self)))


class Event(NamedTuple):
    """Something that a sampler did and a person wants to know of."""

    kind: str  # level_up, weights, ...
    text: str  # as it is printed
    values: Mapping[str, Any]  # JSON values
