"""What a run has to say of itself, written down as it goes and never read by its steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curriculum.core.names import RESULT
from curriculum.core.run_result import RunResult, git_commit, versions
from curriculum.core.secrets import redacted
from curriculum.store.entries import Entry

log = logging.getLogger(__name__)


class Ledger:
    """Begins a run in its folder: the last run's result is gone, its files are known.

    Args:
        overrides: as the command line has them.
        choices: option of each group.
        config: plain values, interpolations resolved.
    """

    def __init__(
        self,
        folder: Path,
        overrides: Sequence[str],
        choices: Mapping[str, str],
        config: Mapping[str, Any],
    ) -> None:
        self._folder = folder
        self._overrides, self._choices, self._config = (
            redacted(overrides),
            choices,
            redacted(config),
        )
        self._results: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._stages: dict[str, dict[str, Any]] = {}
        self._seconds: dict[str, float] = {}
        last = RunResult.load(folder)
        self._files = dict(last.files_by_kind) if last else {}  # by kind; of earlier runs here too
        (folder / RESULT).unlink(missing_ok=True)

    def use(self, name: str, entry: Entry) -> None:
        """Note the entry of the store that a run's `name` came from."""
        self._stages[name] = {
            "fingerprint": entry.fingerprint,
            "folder": str(entry.folder),
            "reused": entry.reused,
        }
        self._counts |= entry.counts

    def count(self, **counts: int) -> None:
        """Note how many there are of something."""
        self._counts |= counts

    def warn(self, text: str) -> None:
        """Note what the terminal was warned of; the same once."""
        said: list[str] = self._results.setdefault("warnings", [])
        if text not in said:
            said.append(text)

    def note(self, **results: Any) -> None:
        """Note what came of a step, as JSON values."""
        self._results |= results

    def leave(
        self, files: list[str], kind: str, expected: Sequence[str], inputs: Sequence[str]
    ) -> None:
        """Note the files a run leaves.

        Of those that earlier runs left in this folder, some go: files of the same kind, so that
        five buckets make place for three while phase2 stays beside phase3, and files under a
        name that this run was expected to write and has not written.
        """
        earlier = {name for names in self._files.values() for name in names}
        gone = (set(self._files.get(kind, [])) | (earlier & set(expected))) - set(files)
        needed = {Path(url).resolve() for url in inputs}
        for name in gone:
            path = self._folder / name
            if path.name == name and path.resolve() not in needed:
                path.unlink(missing_ok=True)
        for other, names in self._files.items():
            if other != kind and set(names) & set(files):
                log.warning(
                    "%s had files of another run that these replace: %s",
                    self._folder,
                    ", ".join(sorted(set(names) & set(files))),
                )
        self._files[kind] = files
        self.note(files=files)

    def add(self, files: Sequence[str], kind: str) -> None:
        """Note further files of the kind."""
        self._files[kind] = [*self._files[kind], *files]
        self.note(files=self._files[kind])

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note how long a step takes."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[step] = round(time.perf_counter() - start, 3)

    def result(self, error: BaseException | None = None) -> RunResult:
        """All that was noted, and how the run has ended."""
        name = self._config.get("name")
        return RunResult(
            status=_status(error),
            error=_told(error) if error else None,
            name=None if name is None else str(name),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            overrides=self._overrides,
            choices=self._choices,
            results=redacted(self._results),
            files_by_kind=self._files,
            counts=self._counts,
            stages=self._stages,
            seconds=self._seconds,
            config=self._config,
            versions=versions(),
            git_commit=git_commit(),
        )

    def write(self, error: BaseException | None = None) -> RunResult:
        """Write `result.json` and return what it says."""
        result = self.result(error)
        result.write(self._folder)
        return result


def _told(error: BaseException) -> str:
    return str(redacted(f"{type(error).__name__}: {error}".removesuffix(": ")))


def _status(error: BaseException | None) -> str:
    if error is None:
        return "completed"
    return "failed" if isinstance(error, Exception) else "interrupted"  # Ctrl-C, SIGTERM
