"""Values as Hydra's command line takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from curriculum.core.errors import UserError


def argument(key: str, value: Any) -> str:
    """`key=value`, quoted so that Hydra reads the very value.

    Raises:
        UserError: where there is no way to say it: names in a mapping can't be quoted.
    """
    said = f"{key}={_quoted(value)}"
    if (read := value_of(said)) != escaped(value):
        raise UserError(f"{key}={value} can't be given to Hydra, which reads {read}")
    return said


def as_typed(key: str, value: Any) -> str:
    """`key=value` as one would type it; quoted where Hydra would read something else then."""
    plain = f"{key}={typed_as(value)}"
    try:
        return plain if value_of(plain) == escaped(value) else argument(key, value)
    except (UserError, ValueError):  # Hydra's, of what would be a sweep
        return argument(key, value)


def typed_as(value: Any) -> str:
    """A value as one would type it, for messages: without the quotes that Hydra may want."""
    match value:
        case Mapping():
            return "{" + ",".join(f"{key}:{typed_as(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(typed_as, value)) + "]"
        case str():
            return value or '""'
        case None | bool():
            return json.dumps(value)
        case _:
            return str(value)


def value_of(argument: str) -> Any:
    """What Hydra reads of a `key=value`. Raises UserError where it can't."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(argument).value()
    except HydraException as error:
        raise UserError(f"Hydra can't read {argument}: {error}") from error


def _quoted(value: Any) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_quoted(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_quoted, value)) + "]"
    if isinstance(value, str):
        return QuotedString(escaped(value), Quote.single).with_quotes()
    return str(value) if isinstance(value, float) else json.dumps(value)


def escaped(value: Any) -> Any:
    """What stands for the value in OmegaConf: `${` in a text is no interpolation."""
    if isinstance(value, Mapping):
        return {key: escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [escaped(each) for each in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value
