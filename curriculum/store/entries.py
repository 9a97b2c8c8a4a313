"""Finished stages on disk, shared by every run that asks for the same.

A stage is a folder named by the fingerprint of what made it. It is written aside and renamed when
complete, its manifest last, so a folder that is there is whole; one of several runs does the work,
on whatever machine, while the others wait for it and take over where it dies.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from curriculum.store.lease import held

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"


class Stage(NamedTuple):
    """A finished stage."""

    folder: Path
    fingerprint: str
    reused: bool
    counts: dict[str, int]


@dataclass(frozen=True)
class Store:
    """Stages under one root folder."""

    root: str

    def stage(
        self,
        name: str,
        made_of: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, int]],
        resumable: bool = False,
        level: int = logging.INFO,
    ) -> Stage:
        """The stage made of `made_of` (JSON values); `make` fills its folder and returns counts.

        The log says at `level` whether it was there. What `make` raises goes through, and leaves
        nothing behind; a resumable stage's folder stays as it is then, and after a kill, for the
        next `make`.
        """
        made_of = {**made_of, "version": version("curriculum")}
        folder = self._folder(name, made_of)
        folder.parent.mkdir(parents=True, exist_ok=True)
        reused = (folder / MANIFEST).exists()
        if not reused:
            with held(Path(f"{folder}.lock"), partial(_say, name)):
                reused = (folder / MANIFEST).exists()
                if not reused:
                    self._make(folder, made_of, make, resumable)
        counts = json.loads((folder / MANIFEST).read_text())["counts"]
        log.log(level, "%s: %s %s", name, "reused" if reused else "made", folder)
        return Stage(folder, folder.name.removeprefix(f"{name}-"), reused, counts)

    def under_way(self, name: str, made_of: Mapping[str, Any]) -> Path | None:
        """Where a resumable stage is being made, to add to it; None where it is finished."""
        folder = self._folder(name, {**made_of, "version": version("curriculum")})
        return None if (folder / MANIFEST).exists() else _aside(folder)

    def _folder(self, name: str, made_of: Mapping[str, Any]) -> Path:
        fingerprint = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
        return Path(self.root) / f"{name}-{fingerprint}"

    def _make(
        self,
        folder: Path,
        made_of: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, int]],
        resumable: bool,
    ) -> None:
        aside = _aside(folder)
        if not resumable:
            shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
        aside.mkdir(exist_ok=resumable)
        try:
            counts = make(aside)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = {"made_of": made_of, "counts": dict(counts), "finished": now}
            (aside / MANIFEST).write_text(json.dumps(manifest, indent=2))
            shutil.rmtree(folder, ignore_errors=True)  # something without a manifest
            os.replace(aside, folder)
        finally:
            if not resumable:
                shutil.rmtree(aside, ignore_errors=True)
            elif aside.exists() and not any(aside.iterdir()):
                aside.rmdir()


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def digest_of_sources(folder: Path) -> str:
    """Changes when a Python file of the folder does."""
    sources = sorted(folder.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _say(name: str, holder: str) -> None:
    log.info("%s: another run is making it (%s); waiting", name, holder.split()[0])
