"""Folders of other users: nothing of theirs is run, or counts, unless one says `trust=yes`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from curriculum.core.errors import UserError
from curriculum.sweep.jobs import PLAN

KEY = "trust"
OF_PROGRAMS = ("_target_", "python", "server_python", "setup", "args", "server_args")
OURS = ("curriculum.", "hydra.", "hydra_plugins.")
NO_CODE = "  none, but what it says decides what comes out"


def require_trusted(
    key: str, path: Path, code: Callable[[], list[str]], arguments: Sequence[str]
) -> None:
    """Let a file or a folder be used that is this user's, or that the command line trusts.

    Args:
        key: that names it, for the message.
        code: tells what using it would run, a line each.
        arguments: of this command line; what a file says of trust counts nothing.

    Raises:
        UserError: it is another user's; lists the code.
    """
    owner = path.stat().st_uid
    if owner == os.geteuid() or _trusts(arguments):
        return
    lines = "\n".join(code() or [NO_CODE])
    raise UserError(
        f"{key}={path} belongs to another user (uid {owner}). The code that it would run, as you:\n"
        f"{lines}\n{KEY}=yes uses it all the same"
    )


def require_own_edges(edges: str | None, overrides: Sequence[str]) -> None:
    """Raise UserError where `bucketer.edges` are another user's and not trusted."""
    if edges is not None and Path(edges).exists():
        require_trusted("bucketer.edges", Path(edges), list, overrides)


def code_of(sweep: Path) -> list[str]:
    """What going on with a sweep would run beside this package, of its `multirun.yaml`."""
    plan: Any = OmegaConf.to_container(OmegaConf.load(sweep / PLAN))
    hydra = plan["hydra"]
    given = [*hydra["overrides"]["task"], *hydra["overrides"]["hydra"]]
    swept = {key: value for key, _, value in (each.lstrip("+").partition("=") for each in given)}
    sources = [each["path"] for each in hydra["runtime"]["config_sources"]]
    leaves = {**dict(_leaves(plan, "")), **(hydra.get("sweeper", {}).get("params") or {}), **swept}
    found = [f"  {key}={value}" for key, value in leaves.items() if _runs(key, value)]
    folders = [f"  what its configurations choose: {path}" for path in sources if path]
    return [*found, *folders, f"  in the folder {hydra['runtime']['cwd']}"]


def _trusts(arguments: Sequence[str]) -> bool:
    given = [each.partition("=")[2] for each in arguments if each.startswith(f"{KEY}=")]
    return bool(given) and given[-1].strip("'\"").lower() in ("yes", "true")


def _runs(key: str, value: Any) -> bool:
    if value in (None, [], "", "null") or str(value).startswith(OURS):
        return False
    return key == "reward.path" or key.rpartition(".")[2] in OF_PROGRAMS


def _leaves(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
