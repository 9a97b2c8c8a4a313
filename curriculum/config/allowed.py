"""What a configuration may have Hydra do: fill in few things, and start few classes.

A configuration file, and a command line that was copied, may be a stranger's. Hydra would read any
variable of the environment for it, and call whatever Python has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from curriculum.config.plugins import trusted_packages
from curriculum.core.errors import UserError

RESOLVERS = {
    *("now", "hydra", "oc.select", "oc.decode", "oc.create", "oc.dict.keys", "oc.dict.values"),
}
VARIABLES = {
    *("HOME", "USER", "LOGNAME", "HOSTNAME", "PWD", "TMPDIR", "SCRATCH", "CUDA_VISIBLE_DEVICES"),
    *("WANDB_PROJECT", "WANDB_ENTITY", "SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_ARRAY_TASK_ID"),
}
# `${name:argument`; a name that is made of another value is none that is known.
RESOLVER = re.compile(r"\$\{(?=\s*((?:\$\{[^{}]*\}|[^{}:$])*?)\s*:\s*([^,}]*))")
HYDRAS = re.compile(
    r"hydra\._internal\.core_plugins\.\w+\.Basic\w+|hydra\.experimental\.callbacks\.\w+"
    r"|hydra_plugins(\.\w+)*\.[A-Z]\w+|curriculum\.compare\.sweep_end\.SweepEnd"
)
LOGGERS = re.compile(
    r"logging\.(handlers\.)?[A-Z]\w*(Handler|Formatter)|colorlog\.[A-Z]\w+"
    r"|curriculum\.core\.terminal\.StandardError|curriculum\.core\.text\.Formatter"
)
STREAMS = {"ext://sys.stdout", "ext://sys.stderr"}


def require_allowed(config: DictConfig) -> None:
    """Check what Hydra has composed, with its own part, before it makes anything of it.

    Raises:
        UserError: names the key, what it would have done, and what is allowed.
    """
    for path, value in _texts(OmegaConf.to_container(config), ()):
        if path[:2] == ("hydra", "overrides"):  # they have become values
            continue
        key = ".".join(path)
        _require_resolvers(key, value)
        if path[-1] == "_target_":
            _require_target(path, value)
        elif path[0] == "hydra" and path[1:2] in (("job_logging",), ("hydra_logging",)):
            _require_logger(path, value)


def _require_resolvers(key: str, value: str) -> None:
    for name, variable in RESOLVER.findall(value):
        if name == "oc.env" and variable.strip() not in VARIABLES:
            raise UserError(
                f"{key} reads the environment variable {variable.strip()}: a configuration may "
                f"read {', '.join(sorted(VARIABLES))}. Your shell can fill in others; secrets are "
                "read by the code that needs them"
            )
        if name not in {*RESOLVERS, "oc.env"}:
            raise UserError(f"{key} has ${{{name}:...}}; there is {', '.join(sorted(RESOLVERS))}")


def _require_target(path: tuple[str, ...], value: str) -> None:
    if path[0] == "hydra":
        trusted = HYDRAS.fullmatch(value) is not None
    else:
        trusted = value.partition(".")[0] in trusted_packages()
    if not trusted:
        raise UserError(
            f"{'.'.join(path)}={value} is neither this package's nor a plugin's, and would be run"
        )


def _require_logger(path: tuple[str, ...], value: str) -> None:
    is_class = path[-1] == "class"
    if (
        path[-1] == "()"
        or (is_class and LOGGERS.fullmatch(value) is None)
        or (value.startswith("ext://") and value not in STREAMS)
    ):
        raise UserError(f"{'.'.join(path)}={value}: handlers and formatters of `logging` alone")


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text, its interpolations as they stand, with the keys that it lies under."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, (*path, str(key)))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, path)
    elif isinstance(value, str):
        yield path, value
