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
from curriculum.core import secrets
from curriculum.core.errors import Terminated, UserError, placed
from curriculum.run import pipeline, rejects
from curriculum.run.context import Context
from curriculum.store.lease import Busy, held
from curriculum.sweep import earlier, jobs, told, trust

log = logging.getLogger(__name__)

CONFIG = "config"  # this project's own configuration


@contextmanager
def _termination_raised() -> Iterator[None]:
    """SIGTERM, as schedulers send it, ends the job like an exception, unless someone handles it."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(*_: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
    rejects.clear(folder)
    (folder / report.FILE).unlink(missing_ok=True)
    try:
        shape.check_blocks(values)
        legacy.check_config(values)
        trust.require_own_edges(values["bucketer"].get("edges"), overrides)
        _note_verl_config(values, context)
        with placed(), _termination_raised():
            pipeline.run(values, context)
    except BaseException as error:  # Ctrl-C and SIGTERM too leave a result
        result = context.ledger.write(error)
        report.of_failure(result, folder, error)
        if not sweeping or not isinstance(error, Exception):
            raise
        log.error("failed: %s", error, exc_info=not isinstance(error, UserError))
    else:
        context.ledger.write()


def _note_verl_config(cfg: Mapping[str, Any], context: Context) -> None:
    """Say what came from `data.verl_config`. Raises UserError where it came too late to count."""
    path, overrides = cfg["data"]["verl_config"], context.overrides
    if path is None:
        return
    if not any(each.lstrip("+").startswith(f"{verl_config.KEY}=") for each in overrides):
        raise UserError(f"{verl_config.KEY} is read from the command line only: give it there")
    taken = verl_config.report(path, overrides, context.choices["generator"])
    context.ledger.note(verl_config=taken)
