"""`budget=sequential`: more rollouts only where they may change the answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from curriculum.budgets.parts.prior import fit
from curriculum.budgets.parts.question import Question
from curriculum.budgets.parts.stopping import ROUNDING, Beliefs, error_of_fixed, state
from curriculum.core.errors import UserError
from curriculum.core.records import Asked, Floats, Integers

HIGHEST_CAP = 512  # tables grow with its square
MOST = 1024  # rollouts a problem that a fixed budget is compared up to


@dataclass(frozen=True)
class Tally:
    """What rollouts have shown of P problems so far."""

    source: Integers  # (P,) which data source a problem is of
    asked: Integers  # (P,) rollouts asked for
    n: Integers  # (P,) rollouts with a reward
    c: Integers  # (P,) of them, those that pass

    @classmethod
    def empty(cls, sources: Sequence[str]) -> Tally:
        """Before the first round."""
        source = np.unique(np.asarray(sources), return_inverse=True)[1]
        none = np.zeros(len(source), np.int64)
        return cls(source.astype(np.int64), none, none, none)

    def plus(self, asked: Sequence[Asked], rows: Integers, n: Integers, c: Integers) -> Tally:
        """After another round, that measured the problems `rows`."""
        more = replace(self, asked=self.asked.copy(), n=self.n.copy(), c=self.c.copy())
        for each in asked:
            more.asked[each.problem] += each.samples
        more.n[rows] += n
        more.c[rows] += c
        return more

    def priors(self) -> Iterator[tuple[Integers, Floats]]:
        """The problems of each source, and the prior that they show."""
        for source in np.unique(self.source):
            rows = np.flatnonzero(self.source == source)
            yield rows, fit(self.n[rows], self.c[rows])


@dataclass(frozen=True)
class Verdict:
    """The likeliest answer for each of P problems, and the probability that it is wrong."""

    answer: Integers  # (P,)
    risk: Floats  # (P,)
    going_on: npt.NDArray[np.bool_]  # (P,) more rollouts are worth it


@dataclass(frozen=True)
class Sequential:
    """Rounds of rollouts; which problems get more is decided by what they have shown.

    A problem stops when its likeliest answer is right with probability `confidence`, when it has
    had `cap` rollouts, or when more of them would cost more than they bring: `price` is what a
    rollout must lower the probability of a wrong answer by. The prior behind these probabilities
    is fitted, source by source, to all that has been seen, and again after each round.
    """

    first: int
    step: int
    cap: int
    confidence: float
    price: float
    keep: list[float] | None
    unknown_hard: bool

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.cap <= HIGHEST_CAP or self.step < 1:
            raise UserError(
                f"budget.first={self.first}, budget.step={self.step}, budget.cap={self.cap}: "
                f"1 or more, the first ones not above the cap, the cap not above {HIGHEST_CAP}"
            )
        if not 0.5 <= self.confidence <= 1 or self.price < 0:
            raise UserError(
                f"budget.confidence={self.confidence} must lie between 0.5 and 1, "
                f"budget.price={self.price} must be 0 or more"
            )
        if self.keep is not None and (
            len(self.keep) != 2 or not 0 < self.keep[0] < self.keep[1] < 1
        ):
            raise UserError(f"budget.keep={self.keep}: two pass rates, like [0.1,0.9]")

    def asked(self, tally: Tally, verdict: Verdict | None, batch_size: int) -> list[Asked]:
        """The next round; empty when all is said.

        A round that would not fill a batch of the generator's asks for more at once, up to as many
        as a problem has had.

        Args:
            verdict: on the tally; None before the first round.
        """
        if verdict is None:
            rows, more = np.arange(len(tally.n)), self.first
        else:
            rows = np.flatnonzero(verdict.going_on)
            more = self.step * max(1, batch_size // max(1, len(rows) * self.step))
        have = tally.asked[rows]
        size = np.minimum(more, self.cap - have)
        if verdict is not None:  # at most as many as there are: the answer may be near
            size = np.minimum(size, np.maximum(have, self.step))
        return [
            Asked(int(row), int(first), int(samples))
            for row, first, samples in zip(rows, have, size, strict=True)
        ]

    def judge(self, tally: Tally, question: Question) -> Verdict:
        """What the rollouts say of each problem, and which should get more.

        Who stopped in an earlier round may go on, where the prior has changed since.
        """
        problems = len(tally.n)
        verdict = Verdict(np.zeros(problems, np.int64), np.ones(problems), np.zeros(problems, bool))
        for rows, prior in tally.priors():
            beliefs = Beliefs.under(prior, question, self.cap)
            going_on = beliefs.going_on(self.step, self.price, self.confidence)
            states = state(tally.n[rows], tally.c[rows])
            verdict.answer[rows] = beliefs.answer[states]
            verdict.risk[rows] = beliefs.risk[states]
            # Of a problem none of whose rollouts could be scored nothing is learned by more.
            open_ = (tally.asked[rows] < self.cap) & (tally.n[rows] > 0)
            verdict.going_on[rows] = going_on[states] & open_
        return verdict


def equal_fixed(tally: Tally, question: Question, error: float) -> int | None:
    """The fewest rollouts of each problem whose expected error is as low; None: over `MOST`."""
    priors = [(len(rows) / len(tally.n), prior) for rows, prior in tally.priors()]

    def is_as_low(n: int) -> bool:
        errors = (share * error_of_fixed(prior, question, n) for share, prior in priors)
        return sum(errors) <= error + ROUNDING

    n = bisect_left(range(1, MOST + 1), True, key=is_as_low) + 1
    return n if n <= MOST else None
