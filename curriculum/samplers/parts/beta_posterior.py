"""How often each prompt is solved now, as far as is known: a Beta distribution of each."""

from __future__ import annotations

from curriculum.core.prompts import Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.state import State, Stateful


class BetaPosterior(Stateful):
    """Beta(a, b) of each prompt's pass rate, from what was measured and what comes back.

    After c passes in k rollouts: a <- d a + (1 - d) a0 + c, b <- d b + (1 - d) b0 + k - c, where
    Beta(a0, b0) is the prior and the discount d forgets; 1 forgets nothing. A prompt that was never
    seen has the prior. Source: MoPPS, recipe/ours/mopps.py, which starts from the prior alone and,
    with one rollout a prompt, replaces the whole posterior by 8 (an operator's precedence).

    Args:
        prior: (a0, b0), both above 0.
        trust: how much a measured rollout counts of one of this training's, 0 to 1.
    """

    _a: State[Floats]  # (P,)
    _b: State[Floats]  # (P,)

    def __init__(
        self, prompts: Prompts, prior: tuple[float, float], trust: float, discount: float
    ) -> None:
        self._prior, self._discount = prior, discount
        self._a = prior[0] + trust * prompts.c
        self._b = prior[1] + trust * (prompts.n - prompts.c)

    def parameters(self, rows: Integers) -> tuple[Floats, Floats]:
        """(a, b) of some prompts."""
        return self._a[rows], self._b[rows]

    def observe(self, observations: Observations) -> None:
        """Take in what came back."""
        rows, n, passed = observations.prompt, observations.n, observations.passed
        d, (a0, b0) = self._discount, self._prior
        self._a[rows] = d * self._a[rows] + (1 - d) * a0 + passed
        self._b[rows] = d * self._b[rows] + (1 - d) * b0 + n - passed

    def metrics(self) -> dict[str, float]:
        """Numbers to follow."""
        return {}
