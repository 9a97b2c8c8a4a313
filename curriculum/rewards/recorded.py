"""`reward=recorded`: the rewards that the rollouts carry, and the default that looks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.errors import UserError
from curriculum.core.program import install
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward
from curriculum.rewards.exact_match import ExactMatch
from curriculum.rewards.reasoning_gym import SOURCE, ReasoningGym

# The demo's tasks: each has one right answer.
EXACT = {f"{SOURCE}{task}" for task in ("chain_sum", "spell_backward", "products", "gcd")}


@dataclass(frozen=True)
class Recorded(Reward):
    """The reward in the file; a null or NaN there is a failure, never a zero."""

    key: str | None = None
    needs: ClassVar = ()
    in_rollouts: ClassVar = True

    @property
    def recorded_key(self) -> str | None:
        """See `Reward`."""
        return self.key

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """Raises UserError: there is nothing to compute."""
        raise UserError("recorded rewards are read with the rollouts, not computed")


@dataclass(frozen=True)
class Auto(Reward):
    """Recorded rewards where there are any, else the verifier of the problems' source."""

    key: str | None = None

    @property
    def recorded_key(self) -> str | None:
        """See `Reward`."""
        return self.key

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """Raises UserError: it has to be chosen first."""
        raise UserError("reward=auto chooses one that scores, and scores nothing itself")

    def choose(self, recorded: bool, data_sources: Iterable[str]) -> Reward:
        """See `Reward`.

        Raises:
            UserError: where rollouts have no reward and none is known for their source.
        """
        if recorded:
            return Recorded(self.key)
        sources = set(data_sources)
        if sources <= EXACT:
            return ExactMatch()
        if all(source.startswith(SOURCE) for source in sources):
            return ReasoningGym(partial=False)
        raise UserError(
            "the rollouts have no 'reward' column, so they must be scored; choose one of\n"
            "  reward=exact_match                       the response is the ground truth\n"
            "  reward=function reward.path=FILE.py      a function of yours, as in verl\n"
            f"  reward=math_verify                       needs: {install('math')}\n"
            f"  reward=instruction_following             needs: {install('ifeval')}\n"
            f"  reward=reward_model reward.model=NAME    needs: {install('torch')}\n"
            "  reward=reasoning_gym                     needs: data=reasoning_gym data.tasks=...\n"
            f"  reward=verl                              needs: {install('verl')}\n"
            "or a plugin's (python -m curriculum.config.plugins lists them)"
        )
