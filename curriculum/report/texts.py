"""Prompts, ground truths and responses as text, and all of them in a given room."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

LIMITS = range(4000, 199, -50)  # characters of a text: the first for which all texts fit
LEFT_OUT = re.compile(r"(\n\n… [\d,]+ characters left out …\n\n)")  # where one was cut


def messages(prompt: str) -> list[list[str | None]]:
    """[role, text] of each message of a chat; a single one without a role for any other prompt."""
    value = json.loads(prompt)
    if isinstance(value, list) and value and all(_is_message(each) for each in value):
        return [[str(each["role"]), _text(each["content"])] for each in value]
    return [[None, _text(value)]]


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and "role" in value and "content" in value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def plain(text: str | None) -> str | None:
    """What a JSON text says, as a person reads it."""
    return None if text is None else _text(json.loads(text))


def cut_texts(problems: list[dict[str, Any]], room: int) -> tuple[int, int]:
    """Shorten texts so that all fit into so many bytes; the limit, and how many are longer."""
    sizes = np.array([len(text.encode()) for each in problems for text in _texts(each)] or [0])
    fitting = (limit for limit in LIMITS if np.minimum(sizes, limit).sum() <= room)
    limit = next(fitting, LIMITS[-1])
    cut = 0
    for each in problems:
        cut += sum(len(text) > limit for text in _texts(each))
        each["prompt"] = [[role, _shortened(text, limit)] for role, text in each["prompt"]]
        each["truth"] = _shortened(each["truth"], limit)
        for response in each["responses"]:
            response["text"] = _shortened(response["text"], limit)
    return limit, cut


def _texts(problem: dict[str, Any]) -> Iterator[str]:
    yield from (text for _, text in problem["prompt"])
    yield problem["truth"] or ""
    yield from (response["text"] or "" for response in problem["responses"])


def _shortened(text: str | None, limit: int) -> str | None:
    """Beginning and end: an answer tends to stand at the end."""
    if text is None or len(text) <= limit:
        return text
    head = limit * 2 // 3
    left_out = f"\n\n… {len(text) - limit:,} characters left out …\n\n"
    return text[:head] + left_out + text[head - limit :]
