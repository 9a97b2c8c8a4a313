"""What the terminal hears of a sweep's job: a line when it begins, and one when it has ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError
from curriculum.core.run_result import RunResult
from curriculum.core.terminal import StandardError, shown
from curriculum.sweep.jobs import own_overrides, why_unfinished

log = logging.getLogger(__name__)


@contextmanager
def of_job(folder: Path, overrides: Sequence[str], sweep: Path, log_name: str) -> Iterator[None]:
    """Leave the terminal to the lines of this file while a job runs; its log has all of them.

    Args:
        log_name: of the file in the job's folder.
    """
    own = " ".join(own_overrides(overrides, sweep))
    log.info("job %s: %s; its log: %s", folder.name, own, shown(folder / log_name))
    quiet = _Quiet(__name__)
    terminals = [each for each in logging.getLogger().handlers if isinstance(each, StandardError)]
    for each in terminals:
        each.addFilter(quiet)
    try:
        yield
    finally:
        for each in terminals:
            each.removeFilter(quiet)
        warnings = f" (warnings in its log: {quiet.warnings})" if quiet.warnings else ""
        log.info("job %s %s%s", folder.name, ended(folder), warnings)


class _Quiet(logging.Filter):
    """Lets the lines of one logger through, and counts the warnings of others."""

    warnings = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        if super().filter(record):
            return True
        self.warnings += record.levelno == logging.WARNING
        return False


def ended(folder: Path) -> str:
    """What has become of a job, in a line: its main result, or its error."""
    result = RunResult.load(folder)
    if result is None:
        return ": ".join(why_unfinished(folder))
    if result.status != "completed":
        error = str(result.error).removeprefix(f"{UserError.__name__}: ")
        return f"{result.status}: {error.splitlines()[0]}"
    return ": ".join(["completed", *_main_result(result.results)])


def _main_result(found: Mapping[str, Any]) -> Iterator[str]:
    """How its training went, else its buckets, else how far it came."""
    arms = list(found.get("training", {}).get("arms", {}).values())
    if arms:
        yield _of_training(arms[0])
    elif "buckets" in found:
        yield ", ".join(f"{name} {each['count']:,}" for name, each in found["buckets"].items())
    elif "scored_rollouts" in found:
        done, total = found["scored_rollouts"], found["rollouts_in_all"]
        yield f"{done:,} of {total:,} rollouts are scored"
    elif "batches" in found:
        yield f"{found['batches']:,} of {found['total_batches']:,} batches are there"
    elif "total_problems" in found:
        yield f"{found['total_problems']:,} problems"


def _of_training(arm: Mapping[str, Any]) -> str:
    gradient = f"{arm['groups_with_gradient']:.0%} of groups with a gradient"
    if "pass_rate_after" not in arm:  # simulated
        return f"{gradient}, {arm['never_drawn']:,} of {arm['prompts']:,} prompts never drawn"
    rates = f"{arm['pass_rate_before']:.3f} -> {arm['pass_rate_after']:.3f}"
    return f"held-out pass rate {rates}, {gradient}"
