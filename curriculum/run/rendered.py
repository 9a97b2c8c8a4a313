"""Prompts that a chat template has been put around, and the problems that they are of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from curriculum.core.records import Integers

LOOKED_AT = 20  # texts, to find a template


class Asked(NamedTuple):
    """What a problem asks, and its answer; JSON text both."""

    prompt: str
    truth: str | None


class Template(NamedTuple):
    """What stands around every prompt."""

    before: str
    behind: str

    def inside(self, text: str) -> str | None:
        """What it is put around; None where the text is of another one."""
        fits = text.startswith(self.before) and text.endswith(self.behind)
        if not fits or len(text) < len(self.before) + len(self.behind):
            return None
        return text[len(self.before) : len(text) - len(self.behind)]


def rendered(theirs: Sequence[Asked], ours: Sequence[Asked]) -> Integers:
    """(len(theirs),) the one of `ours` that each is the rendering of, -1 where none.

    A template is the same for all prompts that have one system message: it is found by the prompt
    that it was put around in some text, and holds where it explains others too, their ground truths
    being equal. No tokenizer is needed.
    """
    places: dict[str, int] = {}
    for row, asked in enumerate(ours):
        text = _text(json.loads(asked.prompt))
        if text:
            places[text] = -1 if text in places else row  # two that ask the same tell nothing
    texts = [json.loads(asked.prompt) for asked in theirs]
    found = np.full(len(theirs), -1, np.int64)
    while True:
        left = [row for row in np.flatnonzero(found < 0).tolist() if isinstance(texts[row], str)]
        candidates = {
            template
            for row in left[:LOOKED_AT]
            if (template := _template(texts[row], places)) is not None
        }
        best: dict[int, int] = {}
        for template in sorted(candidates):
            matched = {}
            for row in left:
                place = places.get(template.inside(texts[row]) or "", -1)
                if place >= 0 and _agree(theirs[row].truth, ours[place].truth):
                    matched[row] = place
            best = max(best, matched, key=len)
        explained = len(set(best.values()))
        if explained < 2 and not (explained == 1 and len(set(map(str, texts))) == 1):
            return found  # a template always explains the text that it was found in
        found[list(best)] = list(best.values())


def _template(text: str, places: dict[str, int]) -> Template | None:
    """Around the longest prompt that stands in the text."""
    inside = max((prompt for prompt in places if prompt in text), key=len, default=None)
    if inside is None or len(inside) == len(text):
        return None
    before, _, behind = text.partition(inside)
    return Template(before, behind)


def _text(prompt: Any) -> str | None:
    """Of a text, or of what a user says last."""
    if isinstance(prompt, str):
        return prompt
    said = [each for each in prompt if each.get("role") == "user"] if _is_chat(prompt) else []
    content = said[-1].get("content") if said else None
    return content if isinstance(content, str) else None


def _is_chat(prompt: Any) -> bool:
    return isinstance(prompt, list) and all(isinstance(each, dict) for each in prompt)


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or _plain(one) == _plain(other)


def _plain(truth: str) -> str:
    """Dumps have every ground truth as text."""
    value = json.loads(truth)
    return value if isinstance(value, str) else truth
