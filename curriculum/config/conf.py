"""The files of conf/: where they are, which groups they make, which keys the groups share."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

GROUPS = (
    "data",
    "generator",
    "budget",
    "reward",
    "metric",
    "bucketer",
    "layout",
    "sampler",
    "trainer",
    "tracker",
)


def conf_dir() -> Path:
    """The configuration: `conf/` of the checkout, or the copy that a wheel carries."""
    return _found("conf")


def sweeps_dir() -> Path:
    """The sweeps that are ready-made, in the same two places."""
    return _found("sweeps")


def keys() -> list[str]:
    """The keys and groups at the top of the configuration."""
    return sorted({*option_groups(), *map(str, _config())} - {"defaults", "hydra", "preset"})


def option_groups() -> list[str]:
    """The groups that an option is chosen of."""
    return [str(name) for choice in _config()["defaults"][:-1] for name in choice]


def blocks() -> list[str]:
    """Those of `keys` that have keys of their own."""
    groups = option_groups()
    return [name for name in keys() if name in groups or isinstance(_config()[name], DictConfig)]


def pipeline_keys(group: str) -> list[str]:
    """Keys of a group that belong to the pipeline rather than to its strategies."""
    return list(_config().get(group, {}))


def options_in(group: str) -> dict[str, str]:
    """A group's options of this package, and what each one's first line of comment says."""
    files = sorted((conf_dir() / group).glob("*.yaml"))
    return {path.stem: headline(path.read_text()) for path in files}


def headline(text: str) -> str:
    """The first comment of a file that isn't one of Hydra's, like `# @package`."""
    comments = (line for line in text.splitlines() if not line.startswith("# @"))
    return next(comments, "").lstrip("# ")


def _found(name: str) -> Path:
    package = Path(__file__).parents[1]
    packaged = package / name
    return packaged if packaged.is_dir() else package.parent / name


@cache
def _config() -> DictConfig:
    return cast(DictConfig, OmegaConf.load(conf_dir() / "config.yaml"))
