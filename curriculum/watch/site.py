"""What is served of a run, or of a sweep and its jobs: pages by name, and no other file."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from curriculum.report import FILE
from curriculum.watch import page, run, sweep
from curriculum.watch.page import View
from curriculum.watch.setup import is_sweep

STATE, SCRIPT, LIBRARY = "state.json", "live.js", "vega.js"
FRESH = 1.0  # seconds for which a look serves all who ask
NOTHING = "default-src 'none'; frame-ancestors 'none'"
# The page of a run has hashes of its scripts in a policy of its own, and both hold.
OF_REPORT = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Answer(NamedTuple):
    """To one request."""

    status: HTTPStatus
    body: str = ""
    kind: str = "text/plain"
    policy: str = NOTHING
    location: str | None = None


def text(status: HTTPStatus, body: str) -> Answer:
    """A line that says what is wrong."""
    return Answer(status, f"{body}\n")


class Site:
    """The page of a folder, and those of the jobs in it.

    Raises:
        UserError: the folder is neither a run's nor a sweep's.
    """

    def __init__(self, folder: Path) -> None:
        is_sweep(folder)
        self._folder = folder
        self._lock = threading.Lock()  # one look at a time, whoever asks
        self._views: dict[Path, tuple[float, View]] = {}

    def answer(self, names: Sequence[str]) -> Answer:
        """What is at a path, whose names are compared and never looked up on the disk."""
        *of_job, name = names
        folder = self._folder if not of_job else self._job(of_job)
        if folder is None:
            return _missing()
        if name == SCRIPT and not of_job:
            return Answer(HTTPStatus.OK, page.script(), "text/javascript")
        if name == LIBRARY and not of_job:
            return Answer(HTTPStatus.OK, page.library(), "text/javascript")
        if name == FILE:
            return _report(folder / FILE)
        if name == STATE:
            return Answer(HTTPStatus.OK, page.state(self._view(folder)), "application/json")
        if name == "":
            return self._page(folder, "../" * len(of_job))
        return _missing()

    def _page(self, folder: Path, root: str) -> Answer:
        view = self._view(folder)
        if view.done:
            return Answer(HTTPStatus.FOUND, location=FILE)
        return Answer(HTTPStatus.OK, page.document(view, root), "text/html", page.POLICY)

    def _job(self, names: Sequence[str]) -> Path | None:
        """The folder of a job of this sweep."""
        if not is_sweep(self._folder):
            return None
        with self._lock:
            folders = sweep.jobs_of(self._folder)
        return next((each for each in folders if [each.name] == list(names)), None)

    def _view(self, folder: Path) -> View:
        with self._lock:
            at, view = self._views.get(folder, (0.0, None))
            if view is None or time.monotonic() - at > FRESH:
                seen = sweep.view if is_sweep(folder) else run.view
                view = seen(folder)
                self._views[folder] = (time.monotonic(), view)
            return view


def _report(path: Path) -> Answer:
    try:
        html = path.read_text(encoding="utf-8")
    except OSError:
        return _missing()
    return Answer(HTTPStatus.OK, html, "text/html", OF_REPORT)


def _missing() -> Answer:
    return text(HTTPStatus.NOT_FOUND, "there is nothing here")
