"""What a form of rollouts must keep to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curriculum.formats.columns import Columns
from curriculum.formats.forms.base import Form
from curriculum.formats.names import MEDIA, ROLES
from curriculum.formats.samples import samples_of

PLAIN = ({"prompt": "q", "response": "a", "reward": 1.0}, {"prompt": "q", "answer": "1"})
LISTS = ("responses", "rewards")


def check_format(make: Callable[[], Form], rows: Sequence[Mapping[str, Any]]) -> None:
    """Check that a form knows its own rows, and gives them in plain names.

    Args:
        make: the form's class.
        rows: as the tool writes them, at least one.

    Raises:
        AssertionError: with what is wrong.
    """
    form = make()
    assert form.name, "a form has a name, for people"
    strange = set(form.took) - {*ROLES}
    assert not strange, f"took names roles that there are not: {strange}"
    assert rows, "a form is checked with a row that the tool wrote"
    plain: Mapping[str, Any]
    for plain in PLAIN:
        assert not form.matches(plain), f"it takes a plain row for its own: {plain}"
    for row in rows:
        before = copy.deepcopy(row)
        assert form.matches(row), f"it doesn't know its own row: {row}"
        read = form.read(row, "file.jsonl")
        assert row == before, "it changes the row that it reads"
        assert read.get("prompt") is not None or read.get("problem_id") is not None, (
            f"neither a prompt nor an id to find it by: {read}"
        )
        samples = samples_of(read, columns=Columns(reward_key=_any_key(read)))
        assert len(samples.responses) == len(samples.rewards)
        known = {*ROLES, *LISTS, *MEDIA, *row}
        assert set(read) <= known, f"names that nothing reads: {set(read) - known}"


def _any_key(read: Mapping[str, Any]) -> str | None:
    """Of one of several rewards, which a user has to choose among."""
    rewards = read.get("rewards") or [read.get("reward")]
    first = rewards[0] if rewards else None
    several = isinstance(first, Mapping) and "score" not in first
    return next(iter(first), None) if several and isinstance(first, Mapping) else None
