"""What stands where in a configuration: options of groups, and blocks of keys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from curriculum.config.conf import blocks, keys, option_groups
from curriculum.config.overrides import typed_as, value_of
from curriculum.core.errors import UserError
from curriculum.integrations.hydra import parsed

NO_NAMES = ("null", "true", "false")  # that Hydra reads as values
LARGEST = 100_000  # values of a configuration file; this project's own have some two hundred


def check_file(arguments: Sequence[str]) -> list[str]:
    """The arguments. Raises UserError where the file that -cd and -cn name is beyond all size.

    A few lines of YAML stand for billions of values where aliases name lists of aliases, and
    Hydra writes all of them out.
    """
    command_line = parsed(arguments)
    if command_line.config_dir is None or command_line.config_name is None:
        return list(arguments)
    name = str(command_line.config_name).removesuffix(".yaml")
    path = Path(command_line.config_dir) / f"{name}.yaml"
    if path.is_file():
        try:
            size = _written_out(
                yaml.compose(path.read_text(encoding="utf-8"), yaml.CSafeLoader), {}
            )
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UserError(f"{path} can't be read as YAML: {error}") from error
        if size > LARGEST:
            raise UserError(f"{path} stands for {size:.3g} values: its aliases name one another")
    return list(arguments)


def _written_out(node: Any, sizes: dict[int, float]) -> float:
    """How many values a node stands for, those of its aliases too; infinite in a circle."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in sizes:
        sizes[id(node)] = math.inf  # as long as it is looked into
        inner = (
            chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else node.value
        )
        sizes[id(node)] = 1 + sum(_written_out(each, sizes) for each in inner)
    return sizes[id(node)]


def check_options(arguments: Sequence[str]) -> list[str]:
    """The arguments. Raises UserError where a group's option is no name, as in `data=3`."""
    for each in arguments:
        group, given, value = each.lstrip("+").partition("=")
        if not given or group not in (*option_groups(), "hydra"):
            continue
        if value.isidentifier() and value.lower() not in NO_NAMES:
            continue
        try:
            option = value_of(each)
        except (UserError, ValueError):  # a sweep, or what Hydra has a word for
            continue
        names = option if isinstance(option, list) else [option]
        if any(name is None or isinstance(name, int | float) for name in names):
            raise UserError(f"{group}={typed_as(option)} names no option: {group}=NAME")
    return list(arguments)


def check_blocks(values: Mapping[str, Any]) -> None:
    """Raise UserError where the keys of a block are no keys, as in `export=3`, or not there."""
    missing = sorted(set(keys()) - set(values))
    if missing:
        raise UserError(
            f"the configuration has no {', '.join(missing)}: `defaults: [config, _self_]` begins "
            "one of your own"
        )
    for name in blocks():
        if not isinstance(values[name], Mapping):
            raise UserError(f"{name}={typed_as(values[name])}: it has keys, {name}.KEY=VALUE")
        strange = next((key for key in values[name] if not isinstance(key, str)), None)
        if strange is not None:
            raise UserError(f"{name}: unknown key {strange!r}: keys are names")
    for key, value in values.items():
        _require_plain(key, value)


def _require_plain(where: str, value: Any) -> None:
    """Raise UserError where YAML has a value of another kind than the command line has."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _require_plain(f"{where}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            _require_plain(where, inner)
    elif not isinstance(value, str | int | float | None):
        raise UserError(f"{where}: {value!r} is {type(value).__name__}, no text or number")
