"""Sweeps on SLURM, or as processes of this machine: Hydra's submitit launchers, made patient.

Hydra's own end the sweep with the first job that a cluster kills. Here such a job is a row of the
comparison with its cause, as is one that fails by itself, and the others are waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import LocalLauncher, SlurmLauncher

from curriculum.core.cores import count_cores
from curriculum.core.errors import UserError
from curriculum.core.program import program
from curriculum.core.run_result import RunResult
from curriculum.core.terminal import shown
from curriculum.integrations import hydra
from curriculum.sweep import jobs, told

log = logging.getLogger(__name__)

LOOK = 1.0  # seconds between looks for results on disk; the cluster is asked less and less often
OF_EXECUTOR = ("max_num_timeout",)  # of the cluster's executor, not of its jobs
AT_ONCE = "array_parallelism"  # jobs
SUBMITTED = "job %d is %s of %s: %s; its log: %s"


class Patient:
    """What both launchers do beyond Hydra's; `_EXECUTOR` is submitit's name of the cluster."""

    _EXECUTOR: str
    params: dict[str, Any]
    config: Any

    def __call__(self, *arguments: Any) -> JobReturn:
        """Run a job, in the process that is its own."""
        hydra.save_without_secrets()
        return cast(JobReturn, cast(Any, super()).__call__(*arguments))

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit what is not complete yet, wait for all of it, note what became of the dead."""
        sweep = Path(str(self.config.hydra.sweep.dir))
        numbered = dict(enumerate(map(list, job_overrides), initial_job_idx))
        if self.config.resume:
            numbered = {
                number: overrides
                for number, overrides in numbered.items()
                if jobs.is_open(sweep / str(number), overrides)
            }
        else:
            for number, overrides in numbered.items():
                jobs.begin_anew(sweep / str(number), overrides)
        if numbered:
            self._run(numbered, sweep)
        return [_report_done(overrides) for overrides in job_overrides]

    def _run(self, numbered: dict[int, list[str]], sweep: Path) -> None:
        """Submit as many as may run at once, and the others as those end."""
        from curriculum.core.progress import progress

        executor = self._executor()
        varied, log_name = _varied(numbered), f"{self.config.hydra.job.name}.log"
        waiting, submitted = list(numbered), dict[int, Any]()
        try:
            with progress("sweep", "jobs", len(numbered)) as advance:
                while waiting or submitted:
                    room = self._at_once(len(numbered)) - len(submitted)
                    some, waiting = waiting[:room], waiting[room:]
                    jobs_of = self._submit(executor, {number: numbered[number] for number in some})
                    for number, job in jobs_of.items():
                        submitted[number] = job
                        name, choice = self._EXECUTOR, varied[number]
                        path = shown(sweep / str(number) / log_name)
                        log.info(SUBMITTED, number, job.job_id, name, choice, path)
                    ended = [number for number, job in submitted.items() if job.done()]
                    for number in ended:
                        folder = sweep / str(number)
                        _note_the_end(submitted.pop(number), folder, numbered[number])
                        to_go = len(waiting) + len(submitted)
                        log.info("job %d %s; %d to go", number, told.ended(folder), to_go)
                        advance(1)
                    time.sleep(LOOK if submitted and not ended else 0)
        except KeyboardInterrupt:
            self._interrupted(submitted, len(waiting), sweep)
            raise

    def _executor(self) -> Any:
        import submitit

        of_executor = {
            f"{self._EXECUTOR}_{key}": self.params[key] for key in OF_EXECUTOR if key in self.params
        }
        folder = self.params["submitit_folder"]
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster=self._EXECUTOR, **of_executor)
        except RuntimeError as error:  # none of its commands is here
            raise UserError(
                f"{error} hydra/launcher=local runs the jobs on this machine"
            ) from error
        of_any_cluster = {field.name for field in fields(BaseQueueConf)}
        executor.update_parameters(
            **{
                key if key in of_any_cluster else f"{self._EXECUTOR}_{key}": value
                for key, value in self._of_jobs().items()
            }
        )
        return executor

    def _of_jobs(self) -> dict[str, Any]:
        """What the cluster is told of each job."""
        not_of_jobs = {"submitit_folder", *OF_EXECUTOR}
        return {key: value for key, value in self.params.items() if key not in not_of_jobs}

    def _at_once(self, jobs: int) -> int:
        """How many of the jobs are submitted before one has ended."""
        return jobs  # the cluster holds the others back

    def _submit(self, executor: Any, numbered: dict[int, list[str]]) -> dict[int, Any]:
        from submitit.core.utils import FailedJobError

        if not numbered:
            return {}
        state = hydra.state()
        arguments = [
            (overrides, "hydra.sweep.dir", number, f"job_id_for_{number}", state)
            for number, overrides in numbered.items()
        ]
        try:
            submitted = executor.map_array(self, *zip(*arguments, strict=True))
        except FailedJobError as error:
            raise UserError(
                f"{self._EXECUTOR} has not taken the jobs (hydra.launcher.*): {str(error).strip()}"
            ) from error
        return dict(zip(numbered, submitted, strict=True))

    def _interrupted(self, submitted: dict[int, Any], waiting: int, sweep: Path) -> None:
        log.warning(
            "%d jobs go on without this process (%s); python -m curriculum.compare %s shows how "
            "they stand",
            len(submitted),
            ", ".join(job.job_id for job in submitted.values()),
            sweep,
        )


class Slurm(Patient, SlurmLauncher):  # type: ignore[misc]
    """A job array of SLURM (`hydra/launcher=slurm`)."""


class Local(Patient, LocalLauncher):  # type: ignore[misc]
    """A process of this machine for each job, some at once (`hydra/launcher=local`)."""

    def _of_jobs(self) -> dict[str, Any]:
        return {key: value for key, value in super()._of_jobs().items() if key != AT_ONCE}

    def _at_once(self, jobs: int) -> int:
        return self.params[AT_ONCE] or count_cores()

    def _interrupted(self, submitted: dict[int, Any], waiting: int, sweep: Path) -> None:
        for job in submitted.values():
            job.cancel()  # a terminal's Ctrl-C has reached it already, that of others has not
        while not all(job.done() for job in submitted.values()):
            time.sleep(LOOK)
        log.warning(
            "%d jobs are stopped, %d were not begun; %s resume=%s goes on with them",
            len(submitted),
            waiting,
            program(),
            sweep,
        )


def register() -> None:
    """Put the launchers in the place of Hydra's; it takes none from outside of `hydra_plugins`."""
    for own, replaced in ((Slurm, SlurmLauncher), (Local, LocalLauncher)):
        hydra.replace_launcher(replaced, own)


def _varied(numbered: dict[int, list[str]]) -> dict[int, str]:
    """Of each job, the overrides in which it differs from the others."""
    shared_by_all = set.intersection(*map(set, numbered.values()))
    given = {number: filter_overrides(overrides) for number, overrides in numbered.items()}
    return {
        number: " ".join([each for each in own if each not in shared_by_all] or own)
        for number, own in given.items()
    }


def _note_the_end(job: Any, folder: Path, overrides: Sequence[str]) -> None:
    """Leave a result for a job that could not do so itself."""
    cause = _cause_of_death(job)
    result = RunResult.load(folder)
    if cause is None or (result is not None and result.status in ("completed", "failed")):
        return
    folder.mkdir(parents=True, exist_ok=True)
    known = result or RunResult("failed", overrides=overrides)
    replace(known, status="failed", error=cause).write(folder)


def _cause_of_death(job: Any) -> str | None:
    from submitit.core.utils import UncompletedJobError

    error = job.exception()
    if error is None:
        returned = job.result()
        return None if returned.status == JobStatus.COMPLETED else repr(hydra.error_of(returned))
    if isinstance(error, UncompletedJobError):
        return f"killed: {job.state}; its log: {job.paths.stderr}"
    lines = str(error).strip().splitlines()
    messages = [line for line in lines if line and not line.startswith(("-", " ", "You can"))]
    return f"{messages[-1]}; its log: {job.paths.stderr}"


def _report_done(overrides: Sequence[str]) -> JobReturn:
    """What the sweeper sees: the truth about a job is in its folder."""
    return JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED)
