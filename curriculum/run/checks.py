"""Whether strategies have what they must have, and keys do what they seem to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pyarrow.compute as pc

from curriculum.core.errors import UserError, did_you_mean
from curriculum.core.records import Problems
from curriculum.generators import Replay


def require_used(overrides: Sequence[str]) -> None:
    """Raise UserError for a key of the command line that is for making rollouts."""
    read = {f"generator.{field.name}" for field in fields(Replay)}
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        makes = key == "num_samples" or key.startswith(("generator.", "budget."))
        if makes and key not in read:
            raise UserError(
                f"{override}: nothing uses it here, for rollouts are read, not made. To make some: "
                "generator=transformers, vllm or openai"
            )


def require_sources(named: Mapping[str, Sequence[str]], problems: Problems) -> None:
    """Raise UserError for a data source that the problems don't have.

    Args:
        named: sources by the key that names them.
    """
    there = pc.unique(problems.table["data_source"]).to_pylist()
    for key, names in named.items():
        for name in names:
            if name not in there:
                raise UserError(
                    f"{key}: no problem is of the source '{name}'{did_you_mean(name, there)}; "
                    f"there are: {', '.join(there)}"
                )


def conforming(strategy: Any, protocol: type, group: str) -> Any:
    """The strategy; raises UserError where it lacks a member that its protocol has."""
    members = [name for name in vars(protocol) if not name.startswith("_")]
    there = {*dir(type(strategy)), *vars(strategy)}
    lacking = [name for name in members if name not in there]
    if lacking:
        room = protocol.__module__.rpartition(".")[0]
        raise UserError(
            f"{group}: {type(strategy).__module__}.{type(strategy).__qualname__} has no "
            f"{', '.join(lacking)}. Let it inherit {room}.{protocol.__name__}, which has what is "
            "optional"
        )
    return strategy
