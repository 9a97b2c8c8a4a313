"""How a run stands: what its lock, its result and the time since its start tell together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from curriculum.core.errors import UserError
from curriculum.core.names import RESULT
from curriculum.core.run_result import RunResult
from curriculum.store.lease import PATIENCE, sign_of_life
from curriculum.sweep import jobs
from curriculum.watch.setup import Setup, modified

RUNNING, STARTING, TO_COME = "running", "starting", "missing"
UNDER_WAY = (RUNNING, STARTING)


class Standing(NamedTuple):
    """Of a run, or of a job of a sweep."""

    status: str  # as `RunResult` has it, or running, starting, unfinished
    explanation: str  # an error, where it runs, or nothing

    @property
    def over(self) -> bool:
        """Whether nothing more is to come, unless it is started again."""
        return self.status not in (*UNDER_WAY, TO_COME)


def standing_of(folder: Path, setup: Setup | None) -> Standing:
    """How the run in a folder stands.

    What an earlier run has left there says nothing of one that was just started.
    """
    try:
        if place := sign_of_life(folder / jobs.LOCK):
            return Standing(RUNNING, f"on {place.split()[0]}")
        if setup is not None and _just_started(folder, setup):
            return Standing(STARTING, "")
        result = RunResult.load(folder)
        if result is not None:
            return Standing(result.status, result.error or "")
        if setup is None and (folder / ".hydra").exists():
            return Standing(STARTING, "")
        return Standing(*jobs.why_unfinished(folder))
    except OSError:  # removed between two looks: a lock that was taken over
        return Standing(STARTING, "")
    except UserError as error:  # a result that is none
        return Standing("unreadable", str(error))


def _just_started(folder: Path, setup: Setup) -> bool:
    """Whether it has not come to its own files yet: it takes seconds to import what it needs."""
    if setup.resuming or time.time() - setup.began > PATIENCE:
        return False
    own = (modified(path) for path in (*folder.glob(f"{jobs.LOCK}.*"), folder / RESULT))
    return all(each is None or each < setup.began for each in own)
