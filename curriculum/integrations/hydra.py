"""Hydra's private doors, each behind a function: for 1.3.8 up to but not 1.4.

What Hydra promises is imported where it is used. tests/integrations/test_hydra.py fails where one
of these moves.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig, OmegaConf

from curriculum.core.atomic import whole
from curriculum.core.secrets import redacted


def parsed(arguments: Sequence[str]) -> Namespace:
    """A command line as `hydra.main` reads it: overrides, config_name, config_dir, help, ...

    Hydra's parser (`hydra._internal.utils.get_args_parser`) is its own business.
    """
    from hydra._internal.utils import get_args_parser

    found: Namespace = get_args_parser().parse_intermixed_args(list(arguments))
    return found


def flags_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the overrides last: Hydra takes them in one place of a command line."""
    overrides: list[str] = parsed(arguments).overrides
    flags, left = [], list(overrides)
    for argument in arguments:
        if left and argument == left[0]:
            left.pop(0)
        else:
            flags.append(argument)
    return [*flags, *overrides]


@contextmanager
def searching(folder: str, further: str | None = None) -> Iterator[None]:
    """Hydra ready to compose from the folders that `hydra.main` would look in, and in their order.

    `hydra.initialize_config_dir` takes one; `hydra.searchpath` has no primary configurations. So
    this is what `hydra._internal.utils._run_hydra` does.

    Args:
        further: that of --config-dir.
    """
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.config_search_path import SearchPathQuery
    from hydra.core.global_hydra import GlobalHydra

    version.setbase("1.3")
    path = create_config_search_path(folder)
    if further:
        before = SearchPathQuery(provider="schema")
        path.prepend(provider="command-line", path=f"file://{further}", anchor=before)
    Hydra.create_main_hydra2("run", path)
    try:
        yield
    finally:
        GlobalHydra.instance().clear()


def replace_launcher(replaced: type, own: type) -> None:
    """Make Hydra start a launcher of ours where a configuration says one of a plugin of Hydra's.

    Hydra takes no launcher from outside of `hydra_plugins`; its table of those that it found there
    (`Plugins.class_name_to_class`) can be written to.
    """
    from hydra.core.plugins import Plugins

    Plugins.instance().class_name_to_class[f"{replaced.__module__}.{replaced.__name__}"] = own


def check_composed(check: Callable[[DictConfig], None]) -> None:
    """Have a check see the configuration of a run or a sweep before Hydra makes anything of it.

    Its callbacks are the first (`hydra._internal.hydra.Callbacks`), and are told of a configuration
    when those that it names are made.
    """
    from hydra._internal import hydra
    from hydra._internal.callbacks import Callbacks

    class Checked(Callbacks):
        def __init__(self, config: DictConfig | None = None) -> None:
            if config is not None:
                check(config)
            super().__init__(config)

    setattr(hydra, Callbacks.__name__, Checked)


def save_without_secrets() -> None:
    """Have the files of `.hydra` hold no secrets; `hydra.core.utils._save_config` writes them."""
    from hydra.core import utils

    def save(cfg: DictConfig, filename: str, output_dir: Path) -> None:
        output_dir.mkdir(parents=True, exist_ok=True)
        plain = redacted(OmegaConf.to_container(cfg))
        with whole(output_dir / filename) as partial:
            partial.write_text(OmegaConf.to_yaml(OmegaConf.create(plain)), "utf-8")

    utils._save_config = save


def state() -> Any:
    """Hydra's singletons, for a launcher to set up a process that runs a job.

    `hydra.core.singleton` is not documented; all launchers of Hydra's own do the same.
    """
    from hydra.core.singleton import Singleton

    return Singleton.get_state()


def split_sweep(loader: Any, overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of each job of a sweep, as Hydra's own sweeper splits them.

    Its `BasicSweeper.split_arguments` is in `hydra._internal.core_plugins`.

    Args:
        loader: Hydra's config loader, which knows what a glob stands for.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed_overrides = OverridesParser.create(loader).parse_overrides(list(overrides))
    jobs: list[list[str]] = BasicSweeper.split_arguments(parsed_overrides, None)[0]
    return jobs


def error_of(job: JobReturn) -> Any:
    """What a job that failed has raised.

    `JobReturn.return_value` raises it, after a line on standard error; `_return_value` has it.
    """
    return job._return_value


@contextmanager
def set_aside() -> Iterator[None]:
    """Hydra as if it were not in use: within a job, to compose another configuration.

    `hydra.initialize` has the two functions for its own contexts.
    """
    from hydra.core.global_hydra import GlobalHydra
    from hydra.initialize import get_gh_backup, restore_gh_from_backup

    in_use = get_gh_backup()
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        restore_gh_from_backup(in_use)
