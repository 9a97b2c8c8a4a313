"""What there is to see of a sweep under way: how each of its jobs stands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from curriculum.compare.runs import name_choices
from curriculum.core.errors import UserError
from curriculum.core.names import RESULT
from curriculum.core.run_result import RunResult
from curriculum.report import FILE
from curriculum.sweep import jobs
from curriculum.watch.charts import learning
from curriculum.watch.page import View
from curriculum.watch.run import Sight, look
from curriculum.watch.setup import modified
from curriculum.watch.standing import RUNNING, TO_COME, UNDER_WAY

TEMPLATE = "sweep.html"


def jobs_of(sweep: Path) -> list[Path]:
    """The folders of a sweep's jobs, also of those that are to come."""
    return jobs.folders(sweep, _planned(sweep, modified(sweep / jobs.PLAN)))


def view(sweep: Path) -> View:
    """Of a sweep, for its page."""
    plan = _planned(sweep, modified(sweep / jobs.PLAN))
    seen = [look(folder) for folder in jobs.folders(sweep, plan)]
    rows = [_row(each, plan) for each in seen]
    name_choices(rows)
    courses = {
        row["choice"]: each.course.steps
        for row, each in zip(rows, seen, strict=True)
        if each.course.steps is not None
    }
    figure = learning(courses)
    statuses = [each.standing.status for each in seen]
    over = all(each.standing.over for each in seen)
    notes = (event["text"] for each in seen for event in each.course.events if not event["step"])
    shown = {
        "title": f"Sweep of {len(rows):,} jobs",
        "folder": str(sweep),
        "jobs": rows,
        "completed": statuses.count("completed"),
        "running": statuses.count(RUNNING),
        "figures": [figure] if figure else [],
        "notes": list(dict.fromkeys(notes)),
    }
    done = over and _is_of_these(sweep / FILE, seen)
    return View(TEMPLATE, shown, {figure.name: figure.chart} if figure else {}, done)


def _row(seen: Sight, plan: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Of the table of jobs."""
    folder, standing = seen.folder, seen.standing
    running = standing.status in UNDER_WAY
    overrides = _overrides(seen, plan)
    return {
        "job": folder.name,
        "begun": standing.status != TO_COME,
        "overrides": [each for each in overrides if _key(each) not in jobs.NOT_OF_A_JOB],
        "status": "to come" if standing.status == TO_COME else standing.status,
        "where": seen.where,
        "error": standing.explanation if standing.over and standing.explanation else "",
        "bars": seen.bars if running else [],
        "told": "" if running else _told(seen),
    }


def _overrides(seen: Sight, plan: Sequence[Sequence[str]]) -> Sequence[str]:
    """Of a job as it was started, or as it was planned."""
    if seen.setup is not None:
        return seen.setup.overrides
    place = int(seen.folder.name) if seen.folder.name.isdigit() else len(plan)
    return plan[place] if place < len(plan) else []


def _told(seen: Sight) -> str:
    """What a job that has ended came to."""
    if not seen.standing.over or seen.standing.status == "unreadable":
        return ""
    result = RunResult.load(seen.folder)
    if result is None or "total_rollouts" not in result.results:
        return ", ".join(f"{bar.work}: {bar.amount}" for bar in seen.bars)
    return f"{result.results['total_rollouts']:,} rollouts"


def _key(override: str) -> str:
    return override.partition("=")[0]


def _is_of_these(page: Path, seen: Sequence[Sight]) -> bool:
    """Whether a page of the sweep was written after its last job had ended."""
    written = modified(page)
    ends = (modified(each.folder / RESULT) for each in seen)
    return written is not None and all(end is None or end <= written for end in ends)


@lru_cache(maxsize=1)
def _planned(sweep: Path, written: float | None) -> list[list[str]]:
    """What Hydra noted; read again only where that was written anew."""
    try:
        return jobs.planned(sweep)
    except (YAMLError, OmegaConfBaseException, UserError):
        return []  # it is being written
