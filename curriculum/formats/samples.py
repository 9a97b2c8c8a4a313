"""The samples of a JSON row: a rollout, or all rollouts of a problem in lists."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from curriculum.formats.names import ERRORS, RATES, REASONS, RESPONSES, REWARDS, Row, first

if TYPE_CHECKING:
    from curriculum.formats.columns import Columns

ASSISTANT = "assistant"
WIDEST = 2**63  # whole numbers below it fit a column
CUT_OFF = "length"  # the finish_reason of an answer that the limit of tokens has ended
MEANING_CUT_OFF = ("max_tokens", "model_length", "max_output_tokens", "truncated")


class NoNumber(ValueError):
    """A reward that is there but says no number."""


class Samples(NamedTuple):
    """As many of each, None where the row says nothing."""

    responses: list[str | None]
    rewards: list[float | None]
    reasons: list[str | None]  # why a response ended
    errors: list[str | None]  # why there is none
    numbers: list[int | None]  # sample_idx
    whole_problem: bool  # samples of a problem in lists, rather than one of them
    keys: tuple[str | None, str | None]  # where response and reward were


Keys = tuple[str | None, str | None]  # where responses and rewards stand
PLURAL = ("responses", "outputs", "completions", "generations", "samples")


def keys_of(rows: Sequence[Row], reward_key: str | None = None) -> Keys:
    """The first columns in which any of a file's rows says something.

    Args:
        reward_key: of the number that counts, a column or inside of a reward; None: the reward.
    """
    said = {name for row in rows for name in row if row[name] is not None}
    rewards = REWARDS if reward_key is None else (reward_key, *REWARDS)
    response, reward = ([name for name in names if name in said] for names in (RESPONSES, rewards))
    return next(iter(response), None), next(iter(reward), None)


def samples_of(row: Row, of_file: Keys = (None, None), columns: Columns | None = None) -> Samples:
    """Read a row's responses (texts, chat messages, choices of a completion) and rewards.

    A response that was cut off before it said anything is an empty one.

    Args:
        of_file: where the file's rows have them; one that hasn't is looked at by itself.

    Raises:
        NoNumber: where a reward is unreadable, see `number`.
        ValueError: where there are neither, or not as many of one as of the other.
    """
    reward_key = None if columns is None else columns.reward_key
    rewards = REWARDS if reward_key is None else (reward_key, *REWARDS)
    keys = (
        of_file[0] if of_file[0] in row else first(row, RESPONSES),
        of_file[1] if of_file[1] in row else first(row, rewards),
    )
    response: Any = None if keys[0] is None else row[keys[0]]
    reward: Any = None if keys[1] is None else row[keys[1]]
    is_one = is_trajectory if keys[0] in PLURAL else are_messages
    if is_one(response) and not isinstance(reward, list):
        response = last_answer(response)
    if isinstance(response, dict) and isinstance(response.get("choices"), list):
        response = response["choices"]
    whole = isinstance(response, list) or isinstance(reward, list)
    if not whole and not any(key in row for key in (*RESPONSES, *rewards, *ERRORS)):
        lacking = "a rate without `n`, which data.columns can name: {n: 64}; and "
        rate = lacking if first(row, RATES) is not None else ""
        raise ValueError(f"{rate}neither a response nor a reward (keys: {', '.join(row)})")
    if not whole:
        response, reward = [response], [reward]
    # One text may describe several samples but is none of them; one reward must not be spread.
    elif not isinstance(response, list):
        response = [response if len(reward) == 1 else None] * len(reward)
    elif not isinstance(reward, list):
        reward = [reward] if reward is not None else [None] * len(response)
    if len(response) != len(reward):
        raise ValueError(f"{len(response)} responses but {len(reward)} rewards")
    told = _spread(row, REASONS, len(response))
    reasons = [meaning(own or _reason(each)) for own, each in zip(told, response, strict=True)]
    texts = list(map(_text, response))
    if CUT_OFF in reasons:
        pairs = zip(texts, reasons, strict=True)
        texts = ["" if text is None and reason == CUT_OFF else text for text, reason in pairs]
    inside = reward_key
    if keys[1] == reward_key and not any(
        isinstance(each, dict) and inside in each for each in reward
    ):
        inside = None  # it names the column
    numbers = [number(each, inside) for each in reward]
    errors = [_told(each) for each in _spread(row, ERRORS, len(response))]
    if columns is not None and columns.failed_calls == "wrong":
        pairs = zip(texts, errors, strict=True)
        texts = ["" if text is None and error else text for text, error in pairs]
        errors = [None] * len(texts)
    return Samples(texts, numbers, reasons, errors, _numbers(row, len(texts), whole), whole, keys)


def _numbers(row: Row, count: int, of_all: bool) -> list[int | None]:
    """Of each sample; those in lists have numbers where the row has a list of these."""
    numbers = row.get("sample_idx")
    several = numbers if isinstance(numbers, list) else [None if of_all else numbers] * count
    if len(several) != count:
        raise ValueError(f"{count} responses but {len(several)} of sample_idx")
    return [whole("sample_idx", each) for each in several]


def whole(name: str, value: Any) -> int | None:
    """A whole number, also as tables with gaps have it: 3.0, and NaN for none.

    Raises:
        ValueError: for anything else.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, int) and not isinstance(number, bool) and -WIDEST <= number < WIDEST:
        return number
    raise ValueError(f"{name} is not a whole number of 64 bits: {reprlib.repr(value)}")


def _spread(row: Row, names: tuple[str, ...], count: int) -> list[Any]:
    """One value a sample; what a row of several says once is of all of them."""
    key = first(row, names)
    value = (None if key is None else row[key]) or None  # an empty list says nothing
    if isinstance(value, list):
        if len(value) != count:
            raise ValueError(f"{count} responses but {len(value)} values of {key}")
        return value
    return [value] * count


def _reason(response: Any) -> Any:
    """Why a choice of a completion ended."""
    if not isinstance(response, dict):
        return None
    return response.get("finish_reason") or response.get("stop_reason")


def meaning(reason: Any) -> str | None:
    """Why a response ended, CUT_OFF by whichever word."""
    if not isinstance(reason, str):
        return None
    return CUT_OFF if reason.lower() in MEANING_CUT_OFF else reason


def _told(error: Any) -> str | None:
    if error != error:  # NaN, where a table had nothing
        return None
    if isinstance(error, dict):
        error = error.get("message") or error
    return str(error) if error else None


def split_conversation(row: Row, prompt_key: str) -> Row:
    """The row; where its `messages` end with the answer, with that as its response.

    With tools the whole trajectory is the response: all that follows what a user said last.
    """
    messages: Any = row.get("messages")
    if row.get(prompt_key) is not None or not is_conversation(messages):
        return row
    if messages[-1]["role"] != ASSISTANT:
        return row
    roles = [message["role"] for message in messages]
    asked, answer = messages[:-1], messages[-1]
    if "tool" in roles:
        last = max((i for i, role in enumerate(roles) if role == "user"), default=-1)
        start = roles.index(ASSISTANT, last + 1)
        asked, answer = messages[:start], messages[start:]
    said = first(row, RESPONSES) is not None  # by itself: then the turn is not needed
    return {**row, "messages": asked} if said else {**row, "messages": asked, "response": answer}


def is_trajectory(value: Any) -> bool:
    """Whether messages under a plural name are one answer: several of the assistant's are many."""
    return is_conversation(value) or (are_messages(value) and len(value) == 1)


def is_conversation(value: Any) -> bool:
    """Whether these are the messages of one conversation, not answers of their own."""
    return are_messages(value) and any(message["role"] != ASSISTANT for message in value)


def are_messages(value: Any) -> bool:
    """Whether each has a role."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and isinstance(each.get("role"), str) for each in value)
    )


def last_answer(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """What the model said last in a conversation."""
    said = [message for message in messages if message["role"] == ASSISTANT]
    return _text(said[-1]) if said else None


def number(reward: Any, key: str | None = None) -> float | None:
    """A reward: a number, also as text, true or false, or an object with one.

    None where none is recorded; NaN where one is, but unknown (NaN, an object without a number).

    Args:
        key: of the number in an object; None: `score`, or the only one that it has.

    Raises:
        NoNumber: for anything else, also an object of several numbers none of which was chosen.
    """
    if type(reward) is float and key is None:
        return reward
    value = _chosen(reward, key) if isinstance(reward, dict) else reward
    if value is None:
        return None
    if key is not None and value is reward:
        raise NoNumber(f"there is no reward.key={key}, and the reward is no object")
    try:
        if isinstance(value, int | float | str | Decimal):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise NoNumber(f"the reward is no number: {reprlib.repr(value)}")


def _chosen(reward: Row, key: str | None) -> Any:
    if key is not None and key in reward:
        return reward[key]
    if "score" in reward and key is None:
        return reward["score"]
    numbers = [name for name, value in reward.items() if isinstance(value, int | float | Decimal)]
    if key is not None and numbers:
        raise NoNumber(f"the reward has no {key} (reward.key), but {', '.join(numbers)}")
    if len(numbers) > 1:
        several = ", ".join(numbers)
        raise NoNumber(f"a reward of several numbers ({several}): reward.key chooses")
    return reward[numbers[0]] if numbers else math.nan


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        message = value.get("message")
        said = message if isinstance(message, dict) else value
        for key in ("content", "text", "output"):
            if key in said:
                return said[key] if isinstance(said[key], str) else None
    return last_answer(value) if are_messages(value) else None
