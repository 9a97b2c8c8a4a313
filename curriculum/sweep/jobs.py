"""The jobs of a sweep: those it was to have, and how each of them stands."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf

from curriculum.config.conf import conf_dir
from curriculum.config.source import register
from curriculum.core.errors import UserError
from curriculum.core.names import OUTSIDE, RESULT
from curriculum.core.run_result import RunResult
from curriculum.integrations.hydra import split_sweep
from curriculum.store.lease import sign_of_life

PLAN = "multirun.yaml"  # written by Hydra before the first job starts
OF_A_PLAN = {"runtime", "overrides"}
LOCK = ".lock"  # in a run's folder: one run at a time
LOGS = ".submitit"
NOT_STARTED = "it has not started"
NOT_OF_A_JOB = {"resume", "output_dir", "overwrite", "trust"}
# Of no consequence for a job that is complete: its name, how fast it was, what would have stopped
# it.
MENDING = {"reward.max_failures", "reward.workers", "data.max_rejected", "name"}

log = logging.getLogger(__name__)


def planned(sweep: Path) -> list[list[str]]:
    """The overrides of each job; none where another sweeper, or another naming, was chosen."""
    if not (sweep / PLAN).exists():
        return []
    hydra = plan_of(sweep)
    sweeper = hydra["sweeper"]
    own_naming = hydra["sweep"]["subdir"] == "${hydra.job.num}"
    if not sweeper["_target_"].endswith(".BasicSweeper") or not own_naming:
        return []
    params = [f"{key}={value}" for key, value in (sweeper["params"] or {}).items()]
    with _config_loader() as loader:
        return split_sweep(loader, [*params, *hydra["overrides"]["task"]])


def own_overrides(overrides: Sequence[str], sweep: Path | None) -> list[str]:
    """Those of a job that say what it does, where it can be told without those of all jobs.

    Args:
        sweep: the folder of the sweep that it is part of.
    """
    told = [each for each in overrides if not each.lstrip("+").startswith(OUTSIDE)]
    jobs = [set(each) for each in planned(sweep)] if sweep else []
    common = set.intersection(*jobs) if jobs else set()
    return [each for each in told if each not in common] or told


def plan_of(sweep: Path) -> dict[str, Any]:
    """What Hydra noted of a sweep; a ${key} in it is each job's own, and stays as it is.

    Raises:
        UserError: where the file is not Hydra's.
    """
    plain = OmegaConf.to_container(OmegaConf.load(sweep / PLAN))
    hydra = plain.get("hydra") if isinstance(plain, dict) else None
    if not (isinstance(hydra, dict) and hydra.keys() >= OF_A_PLAN):
        raise UserError(f"{sweep / PLAN} is not what a sweep leaves: start it anew")
    return cast(dict[str, Any], hydra)


@contextmanager
def _config_loader() -> Iterator[Any]:
    """What knows the options that a glob(*) in a sweep stands for."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    if GlobalHydra.instance().is_initialized():
        yield GlobalHydra.instance().config_loader()
        return
    register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def folders(sweep: Path, plan: Sequence[Sequence[str]]) -> list[Path]:
    """Those of the jobs that have begun, and of those that were to, in their order.

    Numbers beyond the plan are of an earlier and larger sweep in the same folder.
    """
    begun = {path.parent for path in (*sweep.glob("*/.hydra"), *sweep.glob(f"*/{RESULT}"))}
    if plan:
        begun = {each for each in begun if not each.name.isdigit()}
    jobs = begun | {sweep / str(number) for number in range(len(plan))}
    return sorted(jobs, key=lambda each: (not each.name.isdigit(), each.name.zfill(9)))


def is_open(folder: Path, overrides: Sequence[str]) -> bool:
    """Whether a resumed sweep has to run a job: it is neither complete nor under way.

    Raises:
        UserError: it is complete, but for another value of the same key.
    """
    result = RunResult.load(folder)
    if result is None or result.status != "completed":
        # One that SLURM has started again would leave its work to itself.
        restarted = "SLURM_RESTART_COUNT" in os.environ
        holder = None if restarted else sign_of_life(folder / LOCK)
        if holder:
            log.info("job %s runs on %s: left to it", folder.name, holder.split()[0])
        return not holder
    done, wanted = _by_key(result.overrides), _by_key(overrides)
    for key in done.keys() & wanted.keys() - NOT_OF_A_JOB - MENDING:
        if done[key] != wanted[key]:
            raise UserError(
                f"{folder} has {key}={done[key]}, which would be {wanted[key]} now: a sweep can be "
                "resumed with further overrides, but not with other jobs"
            )
    log.info("job %s is complete", folder.name)
    return False


def begin_anew(folder: Path, overrides: Sequence[str]) -> None:
    """Forget what an earlier sweep in the same place has left as a job's result.

    Otherwise a job that dies before it can write one would seem complete. Which files were left is
    kept: they make place for those of the job.
    """
    result = RunResult.load(folder)
    if result is not None:
        files = result.files_by_kind
        RunResult("missing", NOT_STARTED, overrides=overrides, files_by_kind=files).write(folder)


def overrides_of(folder: Path, plan: Sequence[Sequence[str]]) -> list[str]:
    """Of a job, as it was run or as it was planned; without where its files are."""
    result, saved = RunResult.load(folder), folder / ".hydra" / "overrides.yaml"
    if result is not None:
        overrides = list(result.overrides)
    elif saved.exists():
        overrides = cast(list[str], OmegaConf.to_container(OmegaConf.load(saved)))
    else:
        overrides = list(plan[int(folder.name)])
    return [override for override in overrides if override.partition("=")[0] not in NOT_OF_A_JOB]


def _by_key(overrides: Sequence[str]) -> dict[str, str]:
    parts = [override.lstrip("+").partition("=") for override in overrides]
    return {key: value for key, _, value in parts}


def why_unfinished(folder: Path) -> tuple[str, str]:
    """Status and explanation of a job without a result."""
    if not (folder / ".hydra").exists():
        return "missing", NOT_STARTED
    holder = sign_of_life(folder / LOCK)
    if holder:
        return "running", f"on {holder.split()[0]}"
    return "unfinished", f"killed without a word{_tell_log(folder)}"


def _tell_log(folder: Path) -> str:
    """Where a job that a cluster ran has written, to be put behind what is said of it."""
    saved = folder / ".hydra" / "hydra.yaml"
    job_id = OmegaConf.select(OmegaConf.load(saved), "hydra.job.id") if saved.exists() else None
    logs = folder.parent / LOGS / str(job_id)
    return f"; its log: {logs}" if logs.is_dir() else ""
