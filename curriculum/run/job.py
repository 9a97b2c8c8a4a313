"""One job of Hydra's: run the pipeline in its folder and leave a result, whatever happens."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from curriculum import report
from curriculum.config import allowed, legacy, shape, verl_config
from curriculum.core import atomic, disk, secrets
from curriculum.core.errors import Terminated, UserError
from curriculum.run import pipeline, rejects
from curriculum.run.context import Context
from curriculum.run.warned import noted
from curriculum.store.lease import Busy, held
from curriculum.sweep import earlier, jobs, told, trust

log = logging.getLogger(__name__)

CONFIG = "config"  # this project's own configuration


@contextmanager
def _termination_raised() -> Iterator[None]:
    """What ends a process from outside ends the job like an exception, unless someone handles it.

    Schedulers send SIGTERM, a terminal that is closed SIGHUP (`nohup` has it ignored).
    """

    def end(number: int, *_: object) -> None:
        raise Terminated(number)

    ends = (signal.SIGTERM, signal.SIGHUP)
    unhandled = [each for each in ends if signal.getsignal(each) is signal.SIG_DFL]
    for each in unhandled:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in unhandled:
            signal.signal(each, signal.SIG_DFL)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two runs at once in one folder would take each other's files away."""
    try:
        with held(folder / jobs.LOCK, wait=False):
            yield
    except Busy as busy:
        raise UserError(
            f"another run is at work in {folder} ({str(busy).split()[0]}): wait for it, or choose "
            "another output_dir"
        ) from None


def run(cfg: DictConfig) -> None:
    """Run the pipeline; in a sweep a failure is recorded and the other jobs go on."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    try:
        _run_or_refuse(cfg, hydra, folder)
    except OSError as error:  # before the run has begun, or in its lock
        told = disk.explained(error, (folder, Path(str(cfg.store_dir))))
        raise told or error from error


def _run_or_refuse(cfg: DictConfig, hydra: HydraConf, folder: Path) -> None:
    allowed.require_allowed(cfg)  # an option that a sweep has chosen too
    values = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    secrets.remember(values)
    if hydra.job.config_name != CONFIG:  # a configuration of one's own has its variables there
        values.pop(str(hydra.job.config_name), None)
    choices = {str(k): str(v) for k, v in hydra.runtime.choices.items() if "hydra/" not in str(k)}
    if values.get("resume") and not jobs.is_open(folder, list(hydra.overrides.task)):
        return
    if hydra.mode != RunMode.MULTIRUN:
        with _alone_in(folder):
            earlier.require_free(folder, values, choices)  # a sweep has asked for all of its jobs
            _run(folder, values, choices, hydra)
        return
    with _told(folder, hydra):
        try:
            with _alone_in(folder):
                _run(folder, values, choices, hydra)
        except UserError as error:
            log.error("failed: %s", error)


def _told(folder: Path, hydra: HydraConf) -> AbstractContextManager[None]:
    """How a sweep's job is told of: by itself, unless its launcher does so."""
    if not str(hydra.launcher["_target_"]).endswith(".BasicLauncher"):
        return nullcontext()
    overrides, sweep = list(hydra.overrides.task), Path(hydra.sweep.dir)
    return told.of_job(folder, overrides, sweep, f"{hydra.job.name}.log")


def _run(folder: Path, values: dict[str, Any], choices: dict[str, str], hydra: HydraConf) -> None:
    sweeping = hydra.mode == RunMode.MULTIRUN
    sweep = Path(hydra.sweep.dir) if sweeping else None
    overrides = list(hydra.overrides.task)
    context = Context.of(values, folder, choices, overrides, sweep, show=not sweeping)
    for each in (folder, folder / ".hydra"):
        atomic.clear(each)
    rejects.clear(folder)
    (folder / report.FILE).unlink(missing_ok=True)
    try:
        legacy.check_config(values)
        shape.check_blocks(values)
        trust.require_own_edges(values["bucketer"].get("edges"), overrides)
        _note_verl_config(values, context)
        with _termination_raised(), noted(context.ledger):
            pipeline.run(values, context)
        context.ledger.write()
    except BaseException as raised:  # Ctrl-C, SIGTERM and SIGHUP too leave a result
        error = disk.explained(raised, (folder, Path(context.store.root))) or raised
        _leave_failure(context, error)
        if not sweeping or not isinstance(error, Exception):
            raise error from error.__cause__
        log.error("failed: %s", error, exc_info=not isinstance(error, UserError))


def _leave_failure(context: Context, error: BaseException) -> None:
    """Leave a result and a page, as far as the disk takes them."""
    try:
        report.of_failure(context.ledger.write(error), context.folder, error)
    except OSError as second:
        log.error("%s has no record of this run: %s", context.folder, second)


def _note_verl_config(cfg: Mapping[str, Any], context: Context) -> None:
    """Say what came from `data.verl_config`. Raises UserError where it came too late to count."""
    path, overrides = cfg["data"]["verl_config"], context.overrides
    if path is None:
        return
    if not any(each.lstrip("+").startswith(f"{verl_config.KEY}=") for each in overrides):
        raise UserError(f"{verl_config.KEY} is read from the command line only: give it there")
    taken = verl_config.report(path, overrides, context.choices["generator"])
    context.ledger.note(verl_config=taken)
