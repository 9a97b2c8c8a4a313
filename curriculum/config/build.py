"""From plain values to strategies and settings: the one place that makes and checks them.

A strategy is a dataclass; its fields are its keys, with their types, ranges and defaults:

    @dataclass(frozen=True)
    class Thompson:
        target: Annotated[float, Field(ge=0, le=1)] = 0.5

`Thompson()` works in Python; from the configuration its values are checked against these types.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from omegaconf import MISSING

from curriculum.config.conf import pipeline_keys
from curriculum.config.mistakes import explained
from curriculum.config.plugins import keys_of, trusted_packages
from curriculum.core.errors import UserError, blamed

T = TypeVar("T")


def build(cfg: Mapping[str, Any], group: str) -> Any:
    """Make the strategy chosen for a group from plain values.

    Raises:
        UserError: names the group, the key, its value and the cause.
    """
    node = dict(cfg[group])
    cls = load(str(node.pop("_target_")), group)
    own = {field.name for field in keys_of(cls)}
    shared = set(pipeline_keys(group)) - own
    return typed(cls, {k: v for k, v in node.items() if k not in shared}, group, shared)


def load(target: str, group: str) -> type:
    """The class that a `_target_` names; of this package or a plugin's, and no other."""
    if target.split(".")[0] not in trusted_packages():
        raise UserError(f"{group}._target_={target} is neither this package's nor a plugin's")
    module, _, name = target.rpartition(".")
    with blamed(f"{group}._target_={target} can't be loaded"):
        cls = getattr(importlib.import_module(module), name)
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise UserError(f"{group}._target_={target} is not a dataclass")
    if cls.__module__.split(".")[0] not in trusted_packages():  # that one of these has imported
        raise UserError(f"{group}._target_={target} is of {cls.__module__}, not a plugin's own")
    return cls


def typed(
    cls: type[T], values: Mapping[str, Any], where: str, shared: Sequence[str] | set[str] = ()
) -> T:
    """A dataclass made of plain values, each of the type and in the range that its field says.

    Args:
        where: the group or block of the configuration, for messages.
        shared: further keys there, for messages.

    Raises:
        UserError: names the key, its value and what it must be, or the keys there are.
    """
    from pydantic import ConfigDict, ValidationError, create_model

    required = [f"{where}.{key} is required" for key, value in values.items() if value == MISSING]
    if required:
        raise UserError("\n".join(required))
    types = get_type_hints(cls, include_extras=True)
    hints = {field.name: types[field.name] for field in keys_of(cls)}
    schema: dict[str, Any] = {
        field.name: (hints[field.name], _default(field)) for field in keys_of(cls)
    }
    finite = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    model = create_model(
        cls.__name__,
        __config__=finite,
        **schema,
    )
    try:
        checked = model.model_validate({k: _plain(hints.get(k), v) for k, v in values.items()})
        return cls(**{name: getattr(checked, name) for name in schema})
    except ValidationError as error:
        keys = dict.fromkeys(shared) | hints
        raise UserError(explained(error.errors(), values, keys, where)) from None
    except (TypeError, ValueError) as error:  # what a strategy says of its own keys
        raise UserError(f"{where}: {error}") from error


def _plain(hint: Any, value: Any) -> Any:
    """The value; a tuple where it is a list that is to be one: YAML has no tuples."""
    kinds = {get_origin(kind) for kind in (hint, *get_args(hint))}
    return tuple(value) if isinstance(value, list) and tuple in kinds else value


def _default(field: dataclasses.Field[Any]) -> Any:
    from pydantic import Field

    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return ... if field.default is dataclasses.MISSING else field.default
