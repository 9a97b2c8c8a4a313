"""`result.json`: what a run did, with what and from what. One type writes and reads it."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, TypeVar

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError
from curriculum.core.json_file import read_json
from curriculum.core.names import RESULT
from curriculum.core.secrets import redacted

T = TypeVar("T")
PACKAGES = ("curriculum", "hydra-core", "numpy", "pandas", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class RunResult:
    """What a run has come to; in the file `results` stand beside the other keys."""

    status: str  # completed, failed, interrupted; missing: its job of a sweep has not begun
    error: str | None = None
    name: str | None = None  # that it was given
    finished: str | None = None  # ISO 8601, UTC
    overrides: Sequence[str] = ()
    choices: Mapping[str, str] = field(default_factory=dict)  # option of each group
    results: Mapping[str, Any] = field(default_factory=dict)  # what came of it, step by step
    files_by_kind: Mapping[str, list[str]] = field(default_factory=dict)  # earlier runs' too
    counts: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the store
    seconds: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str | None = None

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """That of a run's folder; None where it has not ended.

        Raises:
            UserError: where a file of that name is no run's.
        """
        path = folder / RESULT
        try:
            content = read_json(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UserError as error:
            raise UserError(f"{error}; remove it, or name another output_dir") from error
        if not isinstance(content, dict) or "status" not in content:
            raise UserError(
                f"{path} is not what a run leaves, it has no status: remove it, or name another "
                "output_dir"
            )
        own = {name: content.pop(name) for name in _names() if name in content}
        return _checked(cls, {**own, "results": content}, path)

    def write(self, folder: Path) -> None:
        """Write the file; a reader sees a whole one or none."""
        values = {name: getattr(self, name) for name in _names()}
        head = ("status", "error", "name", "finished", "overrides", "choices")
        told = {name: values.pop(name) for name in head} | {**self.results} | values
        with whole(folder / RESULT) as path:
            path.write_text(json.dumps(redacted(told), indent=2, default=list))


def _checked(cls: type[T], values: Mapping[str, Any], path: Path) -> T:
    """A result of these values. Raises UserError where one is not of its type."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path} is not what a run leaves: {place}: {first['msg']}. Remove it, or name another "
            "folder"
        ) from None


def _names() -> list[str]:
    return [each.name for each in fields(RunResult) if each.name != "results"]


def versions() -> dict[str, str]:
    """Of Python and the packages that numbers depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def git_commit() -> str | None:
    """The checkout's commit, `-dirty` behind it where files differ; None outside of git."""
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(Path(__file__).parent), *describe]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
