"""The samples of a JSON row: a rollout, or all rollouts of a problem in lists."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# What a row says of its samples; everything else describes the problem.
RESPONSE_KEYS = ("response", "responses", "output")
REWARD_KEYS = ("reward", "rewards", "scores", "score")
ASSISTANT = "assistant"
OF_ROLLOUTS = (*RESPONSE_KEYS, *REWARD_KEYS, "sample_idx", "finish_reason")


class NoNumber(ValueError):
    """A reward that is there but says no number."""


class Samples(NamedTuple):
    """As many responses as rewards, None where the row has none."""

    responses: list[str | None]
    rewards: list[float | None]
    whole_problem: bool  # all samples of a problem, rather than one of them
    keys: tuple[str | None, str | None]  # where response and reward were


def samples_of(row: Mapping[str, Any]) -> Samples:
    """Read a row's responses (texts, chat messages, choices of a completion) and rewards.

    Raises:
        NoNumber: where a reward is unreadable, see `number`.
        ValueError: where there are neither, or not as many of one as of the other.
    """
    keys = _first_key(row, RESPONSE_KEYS), _first_key(row, REWARD_KEYS)
    response, reward = (None if key is None else row[key] for key in keys)
    is_one = is_conversation if keys[0] == "responses" else are_messages
    if is_one(response) and not isinstance(reward, list):
        response = _text(response)
    if isinstance(response, Mapping) and isinstance(response.get("choices"), list):
        response = response["choices"]
    if not isinstance(response, list) and not isinstance(reward, list):
        if not any(key in row for key in (*RESPONSE_KEYS, *REWARD_KEYS)):
            raise ValueError(f"neither a response nor a reward (keys: {', '.join(row)})")
        return Samples([_text(response)], [number(reward)], False, keys)
    count = max(len(each) for each in (response, reward) if isinstance(each, list))
    # One text may describe several samples but is none of them; one reward must not be spread.
    alone = response if count == 1 else None
    responses = response if isinstance(response, list) else [alone] * count
    scores = [reward] if reward is not None else [None] * count
    rewards = reward if isinstance(reward, list) else scores
    if len(responses) != len(rewards):
        raise ValueError(f"{len(responses)} responses but {len(rewards)} rewards")
    return Samples(list(map(_text, responses)), list(map(number, rewards)), True, keys)


def split_conversation(row: dict[str, Any], prompt_key: str) -> dict[str, Any]:
    """The row; where its `messages` end with the answer, with that as its response.

    With tools the whole trajectory is the response: all that follows what a user said last.
    """
    messages: Any = row.get("messages")
    answered = any(row.get(key) is not None for key in (prompt_key, *RESPONSE_KEYS))
    if answered or not is_conversation(messages) or messages[-1]["role"] != ASSISTANT:
        return row
    roles = [message["role"] for message in messages]
    if "tool" in roles:
        asked = max((i for i, role in enumerate(roles) if role == "user"), default=-1)
        start = roles.index(ASSISTANT, asked + 1)
        return {**row, "messages": messages[:start], "response": messages[start:]}
    return {**row, "messages": messages[:-1], "response": messages[-1]}


def is_conversation(value: Any) -> bool:
    """Whether these are the messages of one conversation, not answers of their own."""
    return are_messages(value) and any(message["role"] != ASSISTANT for message in value)


def are_messages(value: Any) -> bool:
    """Whether each has a role."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, Mapping) and isinstance(each.get("role"), str) for each in value)
    )


def last_answer(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """What the model said last in a conversation."""
    said = [message for message in messages if message["role"] == ASSISTANT]
    return _text(said[-1]) if said else None


def _first_key(row: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if row.get(key) is not None), None)


def number(reward: Any) -> float | None:
    """A reward: a number, also as text, true or false, or `{"score": ...}` of these.

    None where none is recorded; NaN where one is, but unknown (NaN, an object without a score).

    Raises:
        NoNumber: for anything else.
    """
    value = reward.get("score", math.nan) if isinstance(reward, Mapping) else reward
    if value is None:
        return None
    try:
        if isinstance(value, int | float | str):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise NoNumber(f"the reward is no number: {reprlib.repr(value)}")


def _text(value: Any) -> str | None:
    if are_messages(value):
        return last_answer(value)
    if isinstance(value, Mapping):
        message = value.get("message")
        value = message if isinstance(message, Mapping) else value
        value = next((value[key] for key in ("content", "text", "output") if key in value), None)
    return value if isinstance(value, str) else None
