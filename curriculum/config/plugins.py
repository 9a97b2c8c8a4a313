"""Strategies from anywhere: entry points are options of the configuration.

A distribution declares

    [project.entry-points."curriculum.bucketer"]
    zpd = "curriculum_zpd:ZPD"

where the class is a dataclass whose fields are its keys. What is declared is enough to offer it;
the class is loaded when it is chosen, or listed:

    python -m curriculum.config.plugins

prints every option of every group and who provides it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import getdoc
from typing import Any, NamedTuple

from curriculum.config.conf import GROUPS, options_in, pipeline_keys
from curriculum.core.errors import UserError, blamed


class Option(NamedTuple):
    """A strategy that can be chosen in the configuration."""

    group: str
    name: str
    provider: str
    summary: str


def options() -> list[Option]:
    """Every option of every group, plugins' too, which are loaded for what they say of themselves.

    Raises:
        UserError: two have one name.
    """
    built_in = [
        Option(group, name, "curriculum", summary)
        for group in GROUPS
        for name, summary in options_in(group).items()
    ]
    added = [
        Option(group, name, provider(point), _summary(group, point))
        for group, points in plugins().items()
        for name, point in points.items()
    ]
    return sorted([*built_in, *added], key=lambda option: GROUPS.index(option.group))


@cache
def plugins() -> dict[str, dict[str, EntryPoint]]:
    """The entry points that installed distributions declare, by group and name. None is loaded.

    Raises:
        UserError: one has the name of an option of this package, or two have the same.
    """
    declared = entry_points()
    return {group: _named(group, declared.select(group=f"curriculum.{group}")) for group in GROUPS}


def provider(point: EntryPoint) -> str:
    """The distribution and its version that an entry point is of."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def trusted_packages() -> set[str]:
    """Top-level packages whose classes a configuration may name."""
    points = (point for group in plugins().values() for point in group.values())
    return {"curriculum", *(point.module.partition(".")[0] for point in points)}


def load(group: str, point: EntryPoint) -> type:
    """The class that an entry point names.

    Raises:
        UserError: it can't be imported, is no dataclass, or has a key that is the pipeline's.
    """
    with blamed(f"plugin {provider(point)} can't offer {group}={point.name}"):
        cls = point.load()
        if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
            raise TypeError(f"{point.value} is not a dataclass")
        taken = {field.name for field in keys_of(cls)} & set(pipeline_keys(group))
        if taken and group != "data":
            raise TypeError(f"{', '.join(sorted(taken))} is the pipeline's: rename the field")
    return cls


def keys_of(cls: type) -> list[dataclasses.Field[Any]]:
    """The fields of a strategy or of settings that the configuration sets."""
    return [field for field in dataclasses.fields(cls) if field.init]


def _named(group: str, points: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    owners = dict.fromkeys(options_in(group), "curriculum")
    named: dict[str, EntryPoint] = {}
    for point in sorted(points, key=lambda point: (point.name, provider(point))):
        owner = owners.setdefault(point.name, provider(point))
        if owner != provider(point):
            raise UserError(
                f"two options are called {group}={point.name}: one of {owner}, one of "
                f"{provider(point)}. Plugins add options, they don't replace them: uninstall one."
            )
        named[point.name] = point
    return named


def _summary(group: str, point: EntryPoint) -> str:
    try:
        doc = getdoc(load(group, point)) or ""
    except UserError as error:
        return f"broken: {str(error).partition(': ')[2]}"
    return " ".join(doc.partition("\n\n")[0].split())


def main() -> None:
    """Print every option of every group and who provides it."""
    from curriculum.core.terminal import console, plain_table

    table = plain_table("Options", "group", "option", "from", "")
    for option in options():
        table.add_row(*option)
    console().print(table)


if __name__ == "__main__":
    main()
