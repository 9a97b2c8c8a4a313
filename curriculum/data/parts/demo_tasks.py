"""Four reasoning-gym tasks, each in six levels from easy to hard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, int]
Metadata = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A reasoning-gym data set at several levels."""

    levels: Sequence[Config]
    weights: Sequence[float]  # of each level among the training problems of all tasks
    prompt: Callable[[Metadata], str]


def _terms(terms: int, digits: int) -> Config:
    return {
        "min_terms": terms,
        "max_terms": terms,
        "min_digits": digits,
        "max_digits": digits,
    }


def _letters(shortest: int, longest: int) -> Config:
    return {"min_word_len": shortest, "max_word_len": longest}


def _up_to(largest: int) -> Config:
    return {"min_value": 1, "max_value": largest}


def _expression(metadata: Metadata) -> str:
    return str(metadata["expression"]).replace(" ", "") + "="


def _reversal(metadata: Metadata) -> str:
    return f"R:{str(metadata['word']).lower()}="


def _divisor(metadata: Metadata) -> str:
    return "G:" + ",".join(map(str, metadata["numbers"])) + "="


# Spelling is learned from so few examples that equal shares would leave it without a hard level.
TASKS = {
    "chain_sum": Task(
        [_terms(2, 1), _terms(3, 1), _terms(4, 1), _terms(5, 1), _terms(2, 2), _terms(3, 2)],
        [40, 30, 20, 10, 15, 3],
        _expression,
    ),
    "spell_backward": Task(
        [_letters(3, 4), _letters(5, 6), *(_letters(length, length) for length in (7, 8, 9, 10))],
        [20, 12, 4, 0.7, 0.2, 0.06],
        _reversal,
    ),
    "products": Task(
        [_terms(2, 1), _terms(3, 1), _terms(4, 1), _terms(5, 1), _terms(2, 2), _terms(2, 3)],
        [25, 20, 15, 10, 10, 2],
        _expression,
    ),
    "gcd": Task(
        [_up_to(9), _up_to(16), _up_to(30), _up_to(60), _up_to(120), _up_to(500)],
        [10, 15, 20, 15, 10, 5],
        _divisor,
    ),
}
