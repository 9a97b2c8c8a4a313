"""The command: `curriculum ...` where the package is installed, or `python run.py ...`."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import hydra
from omegaconf import DictConfig

from curriculum.compare import sweep_end
from curriculum.config import (
    allowed,
    legacy,
    ready_made,
    secret_arguments,
    shape,
    source,
    training,
    unknown,
    usage,
    verl_config,
)
from curriculum.config.conf import conf_dir
from curriculum.core.disk import refusals_explained
from curriculum.core.errors import explained
from curriculum.core.terminal import ended_by_reader
from curriculum.integrations.hydra import check_composed, flags_first, save_without_secrets
from curriculum.run import named_files
from curriculum.sweep import launchers, resume


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
def main(cfg: DictConfig) -> None:
    """Run one job."""
    from curriculum.run import job

    with explained():  # here too: of an error that it sees, Hydra has a line of its own to say
        job.run(cfg)


def start() -> int:
    """What the command does with the arguments that it was given; its exit status."""
    with explained(), refusals_explained(), unknown.explained():
        source.register()
        launchers.register()
        save_without_secrets()
        check_composed(allowed.require_allowed)
        sys.argv[1:] = expanded(sys.argv[1:])
        with ended_by_reader() if usage.only_tells(sys.argv[1:]) else nullcontext():
            if not usage.shown(sys.argv[1:]):
                main()
    return 1 if sweep_end.failed_jobs else 0


def expanded(arguments: list[str]) -> list[str]:
    """The arguments as Hydra gets them.

    Raises:
        UserError: they hold secrets, have old names, or name what is not there.
    """
    secret_arguments.refuse(arguments)
    legacy.check_arguments(arguments)
    for expand in (
        flags_first,
        shape.check_file,
        shape.check_options,
        resume.expanded,
        ready_made.expanded,
        named_files.expanded,
        verl_config.expanded,
        training.expanded,
    ):
        arguments = expand(arguments)
    return arguments
