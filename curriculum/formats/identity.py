"""When two problems are one, and the texts that say so."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from hashlib import sha1
from json.encoder import encode_basestring
from typing import Any

# Made once: json.dumps makes a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "problem.curriculum").bytes
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def to_json(value: Any) -> str:
    """JSON text, the same for the same value whatever the order of its keys."""
    return encode_basestring(value) if type(value) is str else _ENCODER.encode(value)


def canonical_prompt(prompt: Any) -> Any:
    """One form for the same prompt: a chat of one user message reads as its text."""
    if not isinstance(prompt, list) or not all(isinstance(each, Mapping) for each in prompt):
        return prompt
    messages = [{k: v for k, v in each.items() if v is not None} for each in prompt]
    if len(messages) == 1 and messages[0].get("role") == "user":
        return messages[0].get("content")
    return messages


def prompt_identity(prompt: str) -> str:
    """Equal for problems that ask the same, from a prompt's JSON text."""
    return prompt if prompt[0] == '"' else to_json(canonical_prompt(json.loads(prompt)))


def named_by(content: str) -> str:
    """The id of a problem without one: `uuid.uuid5` of its content, JSON text, as text."""
    name = sha1(NAMESPACE + content.encode()).hexdigest()
    # The version and variant bits of RFC 9562, section 5.5; `uuid.UUID` is five times as dear.
    return f"{name[:8]}-{name[8:12]}-5{name[13:16]}-{VARIANT[name[16]]}{name[17:20]}-{name[20:32]}"


def without_number(problem_id: str) -> str:
    """The id that the data gave, without the `#2` of its second problem."""
    own, mark, number = problem_id.rpartition("#")
    return own if mark and number.isdigit() else problem_id
