"""What a budget is, what it is told, and what it says in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from curriculum.core.records import Asked, Booleans, Integers


@dataclass(frozen=True)
class Setting:
    """What a budget has to know of the run that it is spent in."""

    batch_size: int  # rollouts that the generator makes at once
    # Pass rates between the run's buckets, as shares, given a function from a share of the problems
    # to the pass rate that it stays below. UserError: none lie there, with the reason.
    pass_rates_between: Callable[[Callable[[float], float]], Sequence[float]]


@dataclass(frozen=True)
class Tally:
    """What rollouts have shown of P problems so far."""

    rounds: int
    source: Integers  # (P,) which data source a problem is of
    hint_n: Integers  # (P,) rollouts that an earlier run has of it; 0: the run tells nothing
    hint_c: Integers  # (P,) of them, those that pass
    asked: Integers  # (P,) rollouts asked for
    n: Integers  # (P,) rollouts with a reward
    c: Integers  # (P,) of them, those that pass

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def empty(cls, sources: Sequence[str], hint: tuple[Integers, Integers] | None = None) -> Tally:
        """Before the first round.

        Args:
            hint: (P,) rollouts and (P,) passes of an earlier run.
        """
        source = np.unique(np.asarray(sources), return_inverse=True)[1]
        none = np.zeros(len(source), np.int64)
        hint_n, hint_c = hint or (none, none)
        return cls(0, source.astype(np.int64), hint_n, hint_c, none, none, none)

    def after(self, asked: Sequence[Asked]) -> Tally:
        """When another round was asked for."""
        total = self.asked.copy()
        for each in asked:
            total[each.problem] += each.samples
        return replace(self, rounds=self.rounds + 1, asked=total)

    def seeing(self, rows: Integers, n: Integers, c: Integers) -> Tally:
        """When n more rollouts of the problems `rows` have rewards, and c of them pass."""
        more = replace(self, n=self.n.copy(), c=self.c.copy())
        more.n[rows] += n
        more.c[rows] += c
        return more


class Findings(NamedTuple):
    """What a budget has to say when all is asked."""

    results: dict[str, Any]  # JSON values, for result.json
    facts: dict[str, str]  # titles and texts, for people
    table: pa.Table  # a row a problem, beside its id
    unknown_hard: Booleans | None = None  # (P,) problems for a bucket behind the hardest


class Budget(Protocol):
    """Says how many rollouts each problem gets, in rounds: a frozen dataclass of its settings."""

    # Whether it asks for everything in one round, whatever comes back: then shards may each make a
    # part of it, and rewards may wait. Where it doesn't, its tally has the rewards of each round.
    divisible: ClassVar[bool] = False
    # Folder of an earlier run whose counts, of another model or checkpoint, the tally is to have.
    hint: str | None = None

    def asked(self, tally: Tally, setting: Setting) -> list[Asked]:
        """The next round; empty when all is said."""
        ...

    def check(self, setting: Setting) -> None:
        """Raise UserError, before any work, where it can't be spent in such a run."""
        return None

    def findings(self, tally: Tally, setting: Setting) -> Findings | None:
        """What it has to say in the end, if anything."""
        return None
