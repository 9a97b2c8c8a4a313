"""`reward=math_verify`: mathematical equality, by the math-verify library."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, ClassVar

from curriculum.core.errors import require_extra
from curriculum.core.records import Sample
from curriculum.rewards.base import Reward

WORDS = re.compile(r"\s*[A-Za-z]{2,}(\s+[A-Za-z]+)+[.!?]?\s*")  # several, and nothing else


@dataclass(frozen=True)
class MathVerify(Reward):
    """1.0 where math-verify finds the response's last answer equal to the ground truth.

    Of a list of ground truths any will do. One that is no mathematics ("see figure", nothing,
    `<answer>7</answer>`) is a failure: math-verify reads words as products of their letters.

    Source: https://github.com/huggingface/Math-Verify.
    """

    needs: ClassVar = ("response", "ground_truth")
    strips_thinking: ClassVar = True

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

        read = partial(parse, parsing_timeout=None, raise_on_error=True)

        def gold(truth: Any) -> list[Any]:
            parsed = [] if truth is None or WORDS.fullmatch(str(truth)) else read(f"${truth}$")
            return [] if all(isinstance(each, str) for each in parsed) else parsed

        def passes(ground_truth: Any, response: str) -> bool:
            truths = ground_truth if isinstance(ground_truth, list) else [ground_truth]
            golds = [parsed for parsed in map(gold, truths) if parsed]
            if not golds:
                raise ValueError(f"the ground truth is no mathematics: {ground_truth!r}")
            answer = read(response)
            return any(
                verify(each, answer, timeout_seconds=None, raise_on_error=True) for each in golds
            )

        return [float(passes(each.ground_truth, each.response)) for each in samples]
