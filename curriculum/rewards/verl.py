"""`reward=verl`: verl's own reward functions and reward managers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from curriculum.core.errors import UserError
from curriculum.core.program import install
from curriculum.core.records import Sample
from curriculum.integrations.models import digest_of_model
from curriculum.rewards.base import Reward
from curriculum.rewards.function import Function

if TYPE_CHECKING:
    from curriculum.integrations.verl.scoring import Scorer

log = logging.getLogger(__name__)

Manager = Literal["naive", "dapo", "batch", "prime"]
MANAGERS = get_args(Manager)
VERDICTS = ("acc", "score")  # of a scorer's dict, in the order in which they are looked for


@dataclass(frozen=True)
class Verl(Reward):
    """What verl gives a response: its function for the data source, or yours, and a manager.

    Without a manager the function is `verl.utils.reward_score.default_compute_score`. A manager is
    called as verl calls it, around that function or around one of your own (`path`, `name` and
    `function_kwargs`, verl's `custom_reward_function`). naive adds nothing; dapo adds a penalty on
    length; batch hands up to 64 responses at once to a function of yours; prime calls it in a
    process aside and has 0.0 for what raises, dies, takes over 300 s or is a dict: here these are
    failures, with what prime prints of them.

    A scorer's dict counts by its `key`; None: by `acc`, whether the answer is right, where there
    is one, else by `score`, which may be -1 for a wrong answer. dapo's penalty is in neither, but
    in `reward_score`, what training sees. It alone counts tokens, those that `tokenizer` makes of
    the text: without the end token, which verl has too where a response ended by itself. For all
    else texts go through the managers untokenized.
    """

    manager: Manager | None = None
    reward_kwargs: dict[str, Any] | None = None
    path: str | None = None
    name: str = "compute_score"
    function_kwargs: dict[str, Any] | None = None
    key: str | None = None
    tokenizer: str | None = None
    needs: ClassVar = ("response", "ground_truth")

    def __post_init__(self) -> None:
        if find_spec("verl") is None:
            raise UserError(
                f"reward=verl needs the extra: {install('verl')}; "
                "reward=recorded takes the rewards in the rollouts"
            )
        if self.manager is None:
            self._require_no_manager()
        if self.manager == "batch" and self.path is None:
            raise UserError(
                "reward.manager=batch: verl has no function for it; reward.path=FILE names yours, "
                "f(data_sources, solution_strs, ground_truths, extra_infos, **reward_kwargs)"
            )
        self._check_penalty()
        _ = self._function  # that its file is there

    @property
    def own_code(self) -> bool:
        """See `Reward`."""
        return self.path is not None

    def made_of(self) -> list[str]:
        """Another verl, and a change of your function or the tokenizer, score anew."""
        function = self._function.made_of() if self._function else []
        tokenizer = [digest_of_model(self.tokenizer)] if self.tokenizer else []
        return [version("verl"), *function, *tokenizer]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        scorer = self._scorer  # loaded also for no samples, before any time limit
        return [self._counted(each) for each in scorer(samples)] if samples else []

    def _counted(self, said: Any) -> float:
        """The number in what a scorer said."""
        if not isinstance(said, Mapping):
            return float(said)
        for key in [self.key] if self.key else VERDICTS:
            if key in said:
                return float(said[key])
        raise ValueError(f"no {self.key or 'score'} (reward.key) among {', '.join(said)}")

    @cached_property
    def _scorer(self) -> Scorer:
        from curriculum.integrations.verl.scoring import by_source, managed

        if self.manager is None:
            return by_source()
        function = None
        if self._function:
            function = partial(self._function.loaded, **(self.function_kwargs or {}))
        return managed(self.manager, function, self.reward_kwargs or {}, self.tokenizer)

    @cached_property
    def _function(self) -> Function | None:
        return Function(self.path, self.name, self.function_kwargs) if self.path else None

    def _require_no_manager(self) -> None:
        for key in ("path", "reward_kwargs", "function_kwargs", "tokenizer"):
            if getattr(self, key) is not None:
                hint = "; without one: reward=function" if key == "path" else ""
                raise UserError(f"reward.{key} is for a reward.manager{hint}")

    def _check_penalty(self) -> None:
        penalty = (self.reward_kwargs or {}).get("overlong_buffer_cfg") or {}
        if self.manager != "dapo" or not penalty.get("enable"):
            return
        if self.key in (None, *VERDICTS):
            log.warning("dapo's penalty on length does not count: reward.key=reward_score has it")
        elif self.tokenizer is None:
            raise UserError(
                f"reward.key={self.key}: dapo's penalty counts tokens; reward.tokenizer=NAME, "
                "a name or folder, says whose"
            )
