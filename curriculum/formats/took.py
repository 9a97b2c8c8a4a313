"""What was taken of each file, in one line for people: a wrong guess must not be a silent one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from curriculum.formats import containers
from curriculum.formats.columns import Columns
from curriculum.formats.files import File
from curriculum.formats.forms import form_of
from curriculum.formats.forms.base import Form
from curriculum.formats.names import (
    ERRORS,
    ORIGINAL,
    REASONS,
    RESPONSES,
    REWARDS,
    SOURCES,
    TRUTHS,
    Row,
)
from curriculum.formats.rowwise import chosen_form

LOOKED_AT = 20  # rows
NUMBERS = ("data_idx", "sample_idx", "step", "extra_info")


def took(files: Sequence[File], columns: Columns, rollouts: bool) -> list[str]:
    """One line for all files that are alike: which column is what, and which are not used.

    Args:
        rollouts: whether responses and rewards are read too.
    """
    lines: dict[str, list[str]] = {}
    for file in files:
        rows = islice((line.row for line in containers.read(file.url) if line.row), LOOKED_AT)
        lines.setdefault(_took(list(rows), columns, rollouts), []).append(file.url)
    return [f"{_named(urls)}: {said}" for said, urls in lines.items() if said]


def form_of_file(url: str) -> Form | None:
    """The form that a file's first row has, None where it is plain."""
    row = next((line.row for line in containers.read(url) if line.row), None)
    return None if row is None else form_of(row)


def _named(urls: Sequence[str]) -> str:
    return urls[0] if len(urls) == 1 else f"{urls[0]} and {len(urls) - 1} more"


def _took(rows: Sequence[Row], columns: Columns, rollouts: bool) -> str:
    if not rows:
        return ""
    names = {role: str(path) for role, path in columns.names.items()}
    form = chosen_form(rows[0], columns, rollouts)
    there = dict.fromkeys(name for row in rows for name in row if row[name] is not None)
    if form is not None:
        took = {role: name for role, said in form.took.items() if (name := _which(said, there))}
        if not form.plain:
            return f"{form.name}: {_listed({**took, **names})}"
        return f"{form.name}: {_said({**_known(there, columns, rollouts), **took, **names}, there)}"
    return _said({**_known(there, columns, rollouts), **names}, there)


def _which(said: str, there: Collection[str]) -> str | None:
    """The one that is there, of `c or passes`; what is more than a name is said as it is."""
    names = said.split(" or ")
    return next((each for each in names if " " in each or each.partition(".")[0] in there), None)


def _said(found: dict[str, str], there: Iterable[str]) -> str:
    """What was taken from where, and what was not."""
    words = {word.partition(".")[0] for name in found.values() for word in name.split()}
    unused = [name for name in there if name not in words]
    return _listed(found) + (f"; not used: {', '.join(unused)}" if unused else "")


def _known(there: Iterable[str], columns: Columns, rollouts: bool) -> dict[str, str]:
    names = list(there)
    plain = {name.removeprefix(ORIGINAL): name for name in names}
    rewards = REWARDS if columns.reward_key is None else (columns.reward_key, *REWARDS)
    roles = {
        "problem_id": (columns.id_key,),
        "prompt": columns.prompt_names,
        "data_source": SOURCES,
        "ground_truth": (columns.reward_fn_key, "reward_model", *TRUTHS),
        **{name: (name,) for name in NUMBERS},
    }
    if rollouts:
        roles |= {"response": RESPONSES, "reward": rewards, "finish_reason": REASONS}
        roles |= {"error": ERRORS}
    found = {
        role: next((plain[name] for name in candidates if name in plain), None)
        for role, candidates in roles.items()
    }
    return {role: name for role, name in found.items() if name is not None}


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{role.replace('_', ' ')} from {name}" for role, name in found.items())
