"""Plugins as a place where Hydra looks for options: it loads a class when its option is chosen."""

from __future__ import annotations

import dataclasses
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import MISSING, OmegaConf

from curriculum.config import plugins
from curriculum.config.overrides import escaped
from curriculum.core.errors import blamed

SCHEME = "plugins"


def register() -> None:
    """Have Hydra look for options among the installed plugins too.

    Raises:
        UserError: two options have one name.
    """
    plugins.plugins()
    Plugins.instance().register(PluginSource)
    Plugins.instance().register(PluginSearchPath)


class PluginSearchPath(SearchPathPlugin):
    """Puts the plugins behind the files of conf/."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append(provider=SCHEME, path=f"{SCHEME}://")


class PluginSource(ConfigSource):
    """`plugins://`: {group}/{option} for every entry point of a group."""

    @staticmethod
    def scheme() -> str:
        return SCHEME

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return bool(self.list(config_path, None))

    def is_config(self, config_path: str) -> bool:
        group, _, name = config_path.removesuffix(".yaml").rpartition("/")
        return name in plugins.plugins().get(group, {})

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        group = config_path.strip("/")
        if group:
            kind, found = ObjectType.CONFIG, list(plugins.plugins().get(group, {}))
        else:
            kind = ObjectType.GROUP
            found = [group for group, points in plugins.plugins().items() if points]
        return sorted(found) if results_filter in (None, kind) else []

    def load_config(self, config_path: str) -> ConfigResult:
        """The class's own keys with their defaults; those of its group are in config.yaml.

        Raises:
            UserError: the plugin can't be used; names it and the cause.
        """
        group, _, name = config_path.removesuffix(".yaml").rpartition("/")
        point = plugins.plugins()[group][name]
        fields = plugins.keys_of(plugins.load(group, point))
        with blamed(f"plugin {plugins.provider(point)} can't offer {group}={name}"):
            own = {field.name: _default(field) for field in fields}
            node = OmegaConf.create({"_target_": point.value.replace(":", "."), **own})
        return ConfigResult(
            provider=plugins.provider(point),
            path=f"{SCHEME}://{config_path}",
            config=node,
            header={"package": None},
        )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return escaped(field.default_factory())
    return MISSING if field.default is dataclasses.MISSING else escaped(field.default)
