"""Finished work on disk, shared by every run that asks for the same.

An entry is a folder named by the fingerprint of what made it. It is written aside and renamed when
complete, its manifest last, so a folder that is there is whole, and what has happened to it since
is seen from the manifest: what is damaged is made anew. One of several runs does the work, on
whatever machine, while the others wait for it and take over where it dies.

A run that only seemed dead goes on some time, so no two ever write into one folder: each makes an
entry in a folder of its own, where a resumable one begins with links to the files of those before.
Whoever was taken over publishes nothing and uses what its successor made.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from curriculum.core.atomic import PARTIAL
from curriculum.store import manifest
from curriculum.store.lease import PATIENCE, Busy, Lease, held, holder
from curriculum.store.manifest import MANIFEST

log = logging.getLogger(__name__)

SHARED = ".shared"  # at the end of a folder's name
T = TypeVar("T")


class Entry(NamedTuple):
    """A finished entry."""

    folder: Path
    fingerprint: str
    reused: bool
    counts: dict[str, int]


@dataclass(frozen=True)
class Store:
    """Entries under one root folder."""

    root: str
    patience: float = PATIENCE  # seconds without a sign of life until another run is taken over

    def entry(
        self,
        name: str,
        made_of: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, int]],
        resumable: bool = False,
        level: int = logging.INFO,
    ) -> Entry:
        """The entry made of `made_of` (JSON values); `make` fills its folder and returns counts.

        The log says at `level` whether it was there. What `make` raises goes through, and leaves
        nothing behind; the files of a resumable entry stay then, and after a kill, for the next
        `make`, which must write each with `whole` and look whether those it finds can be read.
        """
        folder = self._folder(name, made_of)
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = False
        while not _is_sound(folder):
            lock = Path(f"{folder}.lock")
            with held(lock, partial(_say, name), patience=self.patience) as lease:
                if not _is_sound(folder):
                    _set_aside(folder, name, resumable)
                    made = _make(folder, made_of, make, resumable, lease)
                    if not made:
                        log.warning("%s: another run took over from this one", name)
        if _begun(folder):
            _clear(folder)
        counts = manifest.counts(folder)
        log.log(level, "%s: %s %s", name, "made" if made else "reused", folder)
        return Entry(folder, folder.name.removeprefix(f"{name}-"), not made, counts)

    def is_finished(self, name: str, made_of: Mapping[str, Any]) -> bool:
        """Whether the entry is there."""
        return _is_finished(self._folder(name, made_of))

    def shared(self, name: str, made_of: Mapping[str, Any]) -> Path:
        """A folder for files of a resumable entry that several runs add at the same time.

        It has those made so far, and the next `make` begins with all that are there. Each must be
        the same whoever writes it, and be written with `whole`; the folder goes away when the
        entry is finished.
        """
        folder = self._folder(name, made_of)
        shared = _shared(folder)
        shared.mkdir(parents=True, exist_ok=True)
        for begun in _begun(folder):
            _link_files(begun, shared)
        return shared

    def add_part(
        self, name: str, made_of: Mapping[str, Any], part: str, add: Callable[[Path], T]
    ) -> T | None:
        """What `add` returns of the `shared` folder; None where the entry is finished by then.

        Args:
            part: what of it is added, as `3-of-16`; of several runs that add it one works.
        """
        if self.is_finished(name, made_of):
            return None
        folder, added = self.shared(name, made_of), None
        try:
            with held(folder.with_name(f"{folder.name}.{part}.lock")):
                added = add(folder)
        except FileNotFoundError:
            if not self.is_finished(name, made_of):
                raise
        # Whoever found all parts there has made a finished entry of them, and removed the folder.
        if not self.is_finished(name, made_of):
            return added
        shutil.rmtree(folder, ignore_errors=True)  # made anew above, as the entry was finished
        return None

    def under_way(self, name: str, process: tuple[str, int, str]) -> Iterator[list[Path]]:
        """Of each entry that a process is making, or was until it died, the folders with its files.

        Args:
            process: as `lease.holder` has it.
        """
        locks = {path.with_suffix("") for path in Path(self.root).glob(f"{name}-*.lock.*")}
        for lock in sorted(locks):
            if holder(lock) == process:
                folder, shared, _ = lock.name.removesuffix(".lock").partition(SHARED)
                entry = lock.with_name(folder)
                yield [_shared(entry)] if shared else _begun(entry)

    def _folder(self, name: str, made_of: Mapping[str, Any]) -> Path:
        fingerprint = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
        return Path(self.root) / f"{name}-{fingerprint}"


def _make(
    folder: Path,
    made_of: Mapping[str, Any],
    make: Callable[[Path], Mapping[str, int]],
    resumable: bool,
    lease: Lease,
) -> bool:
    """Make an entry in a folder of this run's own; whether that was put in place."""
    aside = folder.with_name(f"{folder.name}{PARTIAL}-{uuid.uuid4().hex}")
    before = _begun(folder)  # listed while the lock was still held, so none is a successor's
    if not lease.is_mine():
        return False
    aside.mkdir()
    try:
        if resumable:
            for begun in (*before, _shared(folder)):
                _link_files(begun, aside)
            for begun in before:
                shutil.rmtree(begun, ignore_errors=True)  # whoever still adds to it is to notice
        counts = make(aside)
        manifest.write(aside, made_of, counts)
        return lease.is_mine() and _publish(aside, folder)
    except Exception:
        if lease.is_mine() and not _is_finished(folder):
            raise
        return False  # whoever took over removed the folder
    finally:
        if not resumable or _is_finished(folder):
            shutil.rmtree(aside, ignore_errors=True)
        elif aside.exists() and not any(aside.iterdir()):
            aside.rmdir()


def _publish(aside: Path, folder: Path) -> bool:
    """Put an entry in place, unless it is there."""
    if folder.exists() and not _is_finished(folder):
        shutil.rmtree(folder)  # somebody began to remove it
    try:
        aside.rename(folder)
    except OSError:
        if not _is_finished(folder):
            raise
        return False
    shutil.rmtree(_shared(folder), ignore_errors=True)
    return True


def _clear(folder: Path) -> None:
    """Remove what killed runs have begun of a finished entry, unless somebody makes it anew."""
    with suppress(Busy), held(Path(f"{folder}.lock"), wait=False):
        for left in _begun(folder) if _is_sound(folder) else ():
            shutil.rmtree(left, ignore_errors=True)


def _is_finished(folder: Path) -> bool:
    return (folder / MANIFEST).exists()


def _is_sound(folder: Path) -> bool:
    return _is_finished(folder) and not manifest.damage(folder)


def _set_aside(folder: Path, name: str, resumable: bool) -> None:
    """Take an entry that is damaged out of its place; of a resumable one the whole files stay."""
    if not _is_finished(folder):
        return
    damage = manifest.damage(folder)
    said = "; ".join(f"{file} {cause}" for file, cause in list(damage.items())[:3])
    more = f" and {len(damage) - 3} more" if len(damage) > 3 else ""
    log.warning("%s: %s is damaged (%s%s): made anew", name, folder, said, more)
    aside = folder.with_name(f"{folder.name}{PARTIAL}-{uuid.uuid4().hex}")
    folder.rename(aside)
    if not resumable:
        shutil.rmtree(aside)
        return
    # Where the manifest itself is damaged, nothing says that its files are: `make` looks at them.
    for file in (MANIFEST, *damage):
        (aside / file).unlink(missing_ok=True)


def _begun(folder: Path) -> list[Path]:
    """The folders in which runs make an entry, or made it until they died."""
    return sorted(folder.parent.glob(f"{folder.name}{PARTIAL}-*"))


def _shared(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{SHARED}")


def _link_files(source: Path, target: Path) -> None:
    """Have the whole files of a folder in another too, as far as both are there."""
    for file in source.glob("*"):
        if file.suffix != PARTIAL and file.name != MANIFEST:
            with suppress(FileExistsError, FileNotFoundError):
                os.link(file, target / file.name)


def digest_of_sources(folder: Path) -> str:
    """Changes when a Python file of the folder does."""
    return _digest(sorted(folder.glob("*.py")))


def digest_of_source(*made_by: type | ModuleType) -> str:
    """Changes when the file of a module does, or that of a class or of a base of it.

    Files of the standard library don't count.
    """
    classes = [base for each in made_by if isinstance(each, type) for base in each.__mro__]
    modules = {each.__name__ for each in made_by if not isinstance(each, type)}
    modules |= {each.__module__ for each in classes}
    own = sorted(name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names)
    return _digest([Path(inspect.getfile(sys.modules[name])) for name in own])


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _say(name: str, holder: str) -> None:
    log.info("%s: another run is making it (%s); waiting", name, holder.split()[0])
