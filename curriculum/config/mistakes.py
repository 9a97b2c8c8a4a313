"""What is wrong with values, in words: pydantic's errors with the key, the value and the range."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from typing import Any, get_args

from curriculum.config.overrides import typed_as

TYPES = {  # pydantic's kinds of errors, and what to say
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list, said as [a,b]",
    "tuple_type": "a list, said as [a,b]",
    "dict_type": "a mapping, said as {a: 1}",
    "none_required": "null",
}


def explained(
    errors: Sequence[Any], values: Mapping[str, Any], hints: Mapping[str, Any], where: str
) -> str:
    """Every mistake on a line of its own: the key, its value, what it must be.

    Args:
        errors: as pydantic's `ValidationError.errors` gives them.
        values: what was checked.
        hints: the keys there are, with their types.
        where: the group or block of the configuration that they are in.
    """
    causes: dict[str, list[str]] = {}  # several where it may be of several types
    for error in errors:
        place = list(_place(values, error["loc"]))
        key = ".".join([where, *map(str, place)])
        match error["type"]:
            case "missing":
                line, cause = key, "is required"
            case "extra_forbidden":
                line, cause = key, f"is no key; there are: {', '.join(sorted(hints))}"
            case _:
                line = f"{key}={typed_as(error['input'])}:"
                cause = _wanted(error, _bounds(hints[place[0]]))
        causes.setdefault(line, []).append(cause)
    return "\n".join(f"{line} {' or '.join(dict.fromkeys(said))}" for line, said in causes.items())


def _place(values: Mapping[str, Any], loc: Sequence[Any]) -> Iterator[Any]:
    """The parts of a place that are keys or positions; others say which type it was tried as."""
    yield loc[0]
    inside: Any = values.get(loc[0])
    for part in loc[1:]:
        with suppress(KeyError, IndexError, TypeError):
            inside = inside[part]
            yield part


def _wanted(error: Mapping[str, Any], bounds: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == "literal_error":
        return f"one of {error['ctx']['expected'].replace(' or ', ', ')}"
    said = TYPES.get(kind)
    if said in ("a number", "a whole number") or set(error.get("ctx", ())) & set(bounds):
        colon = isinstance(error["input"], str) and ":" in error["input"]
        hint = r"a : within a name is written \:" if colon else None
        return ", ".join(filter(None, [said, _range(bounds), hint]))
    return said or str(error["msg"]).removeprefix("Input ").removeprefix("Value error, ")


def _bounds(hint: Any) -> dict[str, Any]:
    """The bounds in a type, and in those that it is made of: ge, gt, le, lt."""
    inner = [_bounds(part) for part in get_args(hint)]
    constraints = [
        asdict(constraint)
        for field in getattr(hint, "__metadata__", ())
        for constraint in getattr(field, "metadata", ())
        if is_dataclass(constraint) and not isinstance(constraint, type)
    ]
    found = dict(ChainMap(*inner, *constraints))
    return {name: bound for name, bound in found.items() if name in ("ge", "gt", "le", "lt")}


def _range(bounds: Mapping[str, Any]) -> str:
    if {"ge", "le"} <= set(bounds):
        return f"{bounds['ge']} to {bounds['le']}"
    words = {"gt": "above {}", "ge": "{} or more", "lt": "below {}", "le": "{} or less"}
    return ", ".join(said.format(bounds[name]) for name, said in words.items() if name in bounds)
