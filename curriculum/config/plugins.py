"""Strategies from anywhere: entry points become config options, and `build` makes objects of them.

A distribution declares

    [project.entry-points."curriculum.bucketer"]
    zpd = "curriculum_zpd:ZPD"

where the class is a dataclass whose fields are its knobs. `register` turns it into a typed option,
so it shows in --help, completion, --cfg job and sweeps, and a wrong type fails before any work.
`python -m curriculum.config.plugins` lists every option and who provides it.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from curriculum.core.errors import UserError

log = logging.getLogger(__name__)

GROUPS = (
    "data",
    "generator",
    "budget",
    "reward",
    "metric",
    "bucketer",
    "sampler",
    "trainer",
    "tracker",
)
T = TypeVar("T")
STRICT = "CURRICULUM_STRICT_PLUGINS"  # set: a broken plugin is an error


class Option(NamedTuple):
    """A strategy that can be chosen in the configuration."""

    group: str
    name: str
    provider: str
    summary: str


def conf_dir() -> Path:
    """The configuration: `conf/` of the checkout, or the copy that a wheel carries."""
    package = Path(__file__).parents[1]
    packaged = package / "conf"
    return packaged if packaged.is_dir() else package.parent / "conf"


def register() -> None:
    """Offer every installed plugin's strategies as config options.

    A plugin that can't be used is one warning.

    Raises:
        UserError: where two options have one name, or, if CURRICULUM_STRICT_PLUGINS is set, where
            a plugin can't be used.
    """
    taken = {(option.group, option.name): option.provider for option in _built_in()}
    for group, point in _entry_points():
        _claim(taken, group, point)
        try:
            node = _schema(_load(point), point.value.replace(":", "."), group)
        except Exception as error:  # whatever a plugin's import raises must not stop the others
            _broken(point, error)
        else:
            ConfigStore.instance().store(
                name=point.name, node=node, group=group, provider=_provider(point)
            )


def options() -> list[Option]:
    """Every option of every group: this package's, then the plugins'."""
    found = [
        Option(group, point.name, _provider(point), _summary(point))
        for group, point in _entry_points()
    ]
    return [*_built_in(), *found]


def keys() -> list[str]:
    """The keys and groups at the top of the configuration."""
    config = _config()
    groups = [str(name) for each in config["defaults"][:-1] for name in each]
    return sorted({*groups, *map(str, config)} - {"defaults", "hydra", "preset"})


def pipeline_keys(group: str) -> list[str]:
    """Keys of a group that belong to the pipeline rather than to its strategies."""
    return list(_config().get(group, {}))


@cache
def _config() -> DictConfig:
    return cast(DictConfig, OmegaConf.load(conf_dir() / "config.yaml"))


def _built_in() -> list[Option]:
    return [
        Option(group, path.stem, "curriculum", path.read_text().splitlines()[0].lstrip("# "))
        for group in GROUPS
        for path in sorted((conf_dir() / group).glob("*.yaml"))
    ]


def _entry_points() -> list[tuple[str, EntryPoint]]:
    return [
        (group, point)
        for group in GROUPS
        for point in sorted(entry_points(group=f"curriculum.{group}"), key=lambda each: each.name)
    ]


def trusted_packages() -> set[str]:
    """Top-level packages whose classes a configuration may name."""
    return {"curriculum"} | {point.module.split(".")[0] for _, point in _entry_points()}


def _claim(taken: dict[tuple[str, str], str], group: str, point: EntryPoint) -> None:
    owner = taken.setdefault((group, point.name), _provider(point))
    if owner != _provider(point):
        raise UserError(
            f"two options are called {group}={point.name}: one of {owner}, one of "
            f"{_provider(point)}. Plugins add options, they don't replace them: uninstall one."
        )


def _load(point: EntryPoint) -> type:
    cls = point.load()
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise TypeError(f"{point.value} is not a dataclass")
    return cls


def _schema(cls: type, target: str, group: str) -> type:
    """A dataclass that describes an option to OmegaConf: its knobs and the pipeline's keys."""
    own = {each.name for each in _fields(cls)}
    taken = own & set(pipeline_keys(group)) if group != "data" else set()
    if taken:
        raise TypeError(f"{group}.{', '.join(sorted(taken))} is the pipeline's: rename the field")
    shared = [(name, Any, None) for name in pipeline_keys(group) if name not in own]
    fields = [("_target_", str, target), *shared]
    return dataclasses.make_dataclass(cls.__name__, fields, bases=(_plain(cls),))


def _plain(cls: type) -> type:
    """The class's knobs alone: their types, where OmegaConf can check them, and defaults."""
    hints = get_type_hints(cls)
    knobs = [(each.name, _supported(hints[each.name]), _knob(each)) for each in _fields(cls)]
    return dataclasses.make_dataclass(cls.__name__, knobs)


def _knob(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=each.default_factory)
    return MISSING if each.default is dataclasses.MISSING else each.default


def _supported(hint: Any) -> Any:
    """The type itself where OmegaConf can check it, else Any."""
    try:
        OmegaConf.structured(dataclasses.make_dataclass("Probe", [("value", hint, MISSING)]))
    except OmegaConfBaseException:
        return Any
    return hint


def _fields(cls: Any) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(cls) if each.init]


def _provider(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _summary(point: EntryPoint) -> str:
    try:
        doc = point.load().__doc__ or ""
    except Exception as error:
        return f"broken: {type(error).__name__}: {error}"
    return doc.strip().splitlines()[0] if doc.strip() else ""


def _broken(point: EntryPoint, error: Exception) -> None:
    cause = f"{type(error).__name__}: {error}"
    message = f"plugin {_provider(point)} can't offer '{point.name}': {cause}"
    if os.environ.get(STRICT):
        raise UserError(message) from error
    log.warning(message)


def main() -> None:
    """Print every option of every group and who provides it."""
    from curriculum.core.terminal import console, plain_table

    table = plain_table("Options", "group", "option", "from", "")
    for option in sorted(options(), key=lambda each: GROUPS.index(each.group)):
        table.add_row(*option)
    console().print(table)


if __name__ == "__main__":
    main()
