"""`resume=SWEEP_DIR`: a sweep's own command line again, for the jobs that it has not completed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError
from curriculum.sweep import trust
from curriculum.sweep.jobs import PLAN, plan_of

KEY = "resume"
OF_THE_FOLDER = ("output_dir", "hydra.sweep.dir", "hydra.mode", KEY)


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments; where they resume a sweep, what it was started with before them.

    This process goes to where the sweep was started, for its relative paths are from there.

    Raises:
        UserError: where there is no sweep in the folder, it is another user's, or its start is no
            longer there.
    """
    sweeps = [arg.partition("=")[2] for arg in arguments if arg.startswith(f"{KEY}=")]
    if not sweeps or sweeps[-1] in ("", "null"):
        return list(arguments)
    folder = Path(sweeps[-1].strip("'\"")).resolve()
    if not (folder / PLAN).exists():
        raise UserError(
            f"{KEY}={sweeps[-1]} is no folder of a sweep (it has no {PLAN}). A single run goes on "
            "where it was when it is started again as it was"
        )
    for path in (folder, folder / PLAN):
        trust.require_trusted(KEY, path, partial(trust.code_of, folder), arguments)
    options = [arg for arg in arguments if not _is_override(arg)]
    overrides = {_key_of(arg): arg for arg in arguments if _is_override(arg)}
    given_now = {key: arg for key, arg in overrides.items() if key not in OF_THE_FOLDER}
    hydra = plan_of(folder)
    start = hydra["runtime"]["cwd"]
    if not Path(start).is_dir():
        raise UserError(f"{folder} was started in {start}, which is not there: start it anew")
    os.chdir(start)
    recorded = [*hydra["overrides"]["task"], *hydra["overrides"]["hydra"]]
    kept = [override for override in recorded if _still_holds(_key_of(override), given_now)]
    # In the place of the same key, so that the jobs keep their numbers.
    replaced = [given_now.pop(_key_of(override), override) for override in kept]
    if not any(option.startswith(("-cn", "--config-name")) for option in options):
        options += _choose_config(hydra)
    if not {"-m", "--multirun"} & set(options):
        options.append("-m")
    quoted = "'" + str(folder).replace("'", r"\'") + "'"  # a comma would be a sweep
    folders = [f"hydra.sweep.dir={quoted}", f"{KEY}={quoted}"]
    return [*options, *replaced, *given_now.values(), *folders]


def _still_holds(key: str, given_now: Collection[str]) -> bool:
    of_other_launcher = "hydra/launcher" in given_now and key.startswith("hydra.launcher.")
    return key not in (*OF_THE_FOLDER, trust.KEY) and not of_other_launcher


def _choose_config(hydra: Mapping[str, Any]) -> list[str]:
    """The options that chose the primary configuration."""
    sources = hydra["runtime"]["config_sources"]
    folders = [
        ("-cd", source["path"]) for source in sources if source["provider"] == "command-line"
    ]
    options = [*folders, ("-cn", hydra["job"]["config_name"])]
    return [part for option in options for part in option]


def _is_override(argument: str) -> bool:
    return not argument.startswith("-") and ("=" in argument or argument.startswith("~"))


def _key_of(override: str) -> str:
    return override.partition("=")[0].lstrip("+~").split("@")[0]
