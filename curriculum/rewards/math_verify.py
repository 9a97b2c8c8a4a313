"""`reward=math_verify`: mathematical equality, by the math-verify library."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import ClassVar

from curriculum.core.errors import require_extra
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward


@dataclass(frozen=True)
class MathVerify(Reward):
    """1.0 where math-verify finds the response's last answer equal to the ground truth.

    Source: https://github.com/huggingface/Math-Verify.
    """

    needs: ClassVar = ("response", "ground_truth")

    def __post_init__(self) -> None:
        require_extra("reward=math_verify", "math", "math_verify")

    def made_of(self) -> list[str]:
        """Another math-verify scores anew."""
        return [version("math-verify")]

    def score(self, samples: Sequence[Sample]) -> list[float]:
        """See `Reward`."""
        from math_verify import parse, verify

        # The library's own time limits are signals; the pipeline's end a process and always work.
        # Without the former it warns once a process.
        logging.getLogger("math_verify").setLevel(logging.ERROR)

        def equal(ground_truth: str, response: str) -> bool:
            gold = parse(f"${ground_truth}$", parsing_timeout=None, raise_on_error=True)
            answer = parse(response, parsing_timeout=None, raise_on_error=True)
            return bool(verify(gold, answer, timeout_seconds=None, raise_on_error=True))

        return [float(equal(str(each.ground_truth), each.response)) for each in samples]
