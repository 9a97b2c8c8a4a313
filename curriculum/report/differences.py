"""What a response that passed and one that failed say differently, by words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

WORDS = 800  # of a text that are compared
AROUND = 8  # words of what both say, before and behind what they don't
SAME, FIRST, SECOND = range(3)  # whose a part of the difference is

Part = tuple[int, str]


def compare_responses(problems: Sequence[dict[str, Any]], room: int) -> None:
    """Put beside the responses of problems how two of them differ, the first problems first.

    Args:
        problems: JSON values as in `Examples`, whose texts are already cut. Those with a pair get
            `difference`: the places of two responses, and parts of text with whose they are.
        room: bytes of all differences together.
    """
    for problem in problems:
        pair = _pair(problem["responses"])
        if pair is None or room <= 0:
            continue
        parts = difference(*(problem["responses"][place]["text"] for place in pair))
        if parts:
            problem["difference"] = {"pair": pair, "parts": parts}
            room -= sum(len(text.encode()) for _, text in parts)


def difference(first: str, second: str) -> list[Part]:
    """Parts of two texts in order; nothing where not one word is the same.

    Source: `difflib`, which looks for long runs that both have.
    """
    texts = [re.findall(r"\S+\s*", text)[:WORDS] for text in (first, second)]
    words, others = ([word.rstrip() for word in text] for text in texts)
    blocks = SequenceMatcher(None, words, others).get_opcodes()
    if all(kind != "equal" for kind, *_ in blocks):
        return []
    return [part for block in blocks for part in _parts(*block, *texts)]


def _parts(
    kind: str, start: int, stop: int, begin: int, end: int, first: list[str], second: list[str]
) -> Iterator[Part]:
    if kind == "equal":
        yield SAME, _abridged(first[start:stop])
        return
    if start < stop:
        yield FIRST, "".join(first[start:stop])
    if begin < end:
        yield SECOND, "".join(second[begin:end])


def _abridged(words: list[str]) -> str:
    if len(words) <= 3 * AROUND:
        return "".join(words)
    return f"{''.join(words[:AROUND])}… {''.join(words[-AROUND:])}"


def _pair(responses: Sequence[dict[str, Any]]) -> tuple[int, int] | None:
    """The first that passed and the first that failed; of two responses these, as they come."""
    places = {
        verdict: place
        for place, each in reversed(list(enumerate(responses)))
        if each["text"] and (verdict := each.get("passed")) is not None and not each["failure"]
    }
    if len(places) == 2:
        return places[True], places[False]
    both = len(responses) == 2 and all(each["text"] for each in responses)
    return (0, 1) if both else None
