"""`result.json`: what a run did, with what and from what, written last and also when it failed."""

from __future__ import annotations

import json
import logging
import platform
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curriculum.store.entries import Stage

log = logging.getLogger(__name__)

FILE = "result.json"
PACKAGES = ("curriculum", "hydra-core", "numpy", "pandas", "pyarrow", "scikit-learn")


@dataclass
class Record:
    """What a run has to say of itself, filled in as it goes."""

    folder: Path
    overrides: list[str]
    choices: dict[str, str]
    config: dict[str, Any]
    stages: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)  # by kind; of earlier runs here too

    def __post_init__(self) -> None:
        last = self.folder / FILE
        if last.exists():
            self.files = json.loads(last.read_text()).get("files_by_kind", {})
            last.unlink()

    def use(self, name: str, stage: Stage) -> None:
        """Note the stage of the store that a run's `name` came from."""
        self.stages[name] = {
            "fingerprint": stage.fingerprint,
            "folder": str(stage.folder),
            "reused": stage.reused,
        }
        self.counts |= stage.counts

    def leave(
        self, files: list[str], kind: str, claimed: Sequence[str], inputs: Sequence[str]
    ) -> None:
        """Note the files a run leaves.

        Of those that earlier runs left in this folder, some go: files of the same kind, so that
        five buckets make place for three while phase2 stays beside phase3, and files under a
        name that this run claims without having written it.
        """
        earlier = {name for names in self.files.values() for name in names}
        gone = (set(self.files.get(kind, [])) | (earlier & set(claimed))) - set(files)
        needed = {Path(each).resolve() for each in inputs}
        for name in gone:
            path = self.folder / name
            if path.name == name and path.resolve() not in needed:
                path.unlink(missing_ok=True)
        for other, names in self.files.items():
            if other != kind and set(names) & set(files):
                log.warning(
                    "%s had files of another run that these replace: %s",
                    self.folder,
                    ", ".join(sorted(set(names) & set(files))),
                )
        self.files[kind] = files
        self.results["files"] = files

    def add(self, files: Sequence[str], kind: str) -> None:
        """Note further files of the kind."""
        self.files[kind] += files
        self.results["files"] = self.files[kind]

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long a stage takes."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(time.perf_counter() - start, 3)

    def write(self, error: BaseException | None) -> None:
        """Write the file: how the run ended, and all that was noted."""
        content = {
            "status": _status(error),
            "error": f"{type(error).__name__}: {error}".removesuffix(": ") if error else None,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "overrides": self.overrides,
            "choices": self.choices,
            **self.results,
            "files_by_kind": self.files,
            "counts": self.counts,
            "stages": self.stages,
            "seconds": self.seconds,
            "config": self.config,
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in PACKAGES},
            "git_commit": git_commit(),
        }
        write(self.folder, content)


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write `result.json` in one go; a reader sees a whole one or none."""
    aside = folder / f".{FILE}.partial"
    aside.write_text(json.dumps(content, indent=2))
    aside.replace(folder / FILE)


def _status(error: BaseException | None) -> str:
    if error is None:
        return "completed"
    return "failed" if isinstance(error, Exception) else "interrupted"  # Ctrl-C, SIGTERM


def git_commit() -> str | None:
    """The checkout's commit, `-dirty` behind it where files differ; None outside of git."""
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(Path(__file__).parent), *describe]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
