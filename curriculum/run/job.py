"""One job of Hydra's: run the pipeline in its folder and leave a record, whatever happens."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from curriculum import report
from curriculum.config import legacy, verl_config
from curriculum.core.errors import UserError
from curriculum.core.run_result import Record
from curriculum.run import pipeline, rejects
from curriculum.store.lease import Busy, held
from curriculum.sweep import jobs

log = logging.getLogger(__name__)


@contextmanager
def _termination_raised() -> Iterator[None]:
    """SIGTERM, as schedulers send it, ends the job like an exception, unless someone handles it."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

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
    values = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    choices = {str(k): str(v) for k, v in hydra.runtime.choices.items() if "hydra/" not in str(k)}
    if values.get("resume") and not jobs.is_open(folder, list(hydra.overrides.task)):
        return
    try:
        with _alone_in(folder):
            _run(folder, values, choices, hydra)
    except UserError as error:
        if hydra.mode != RunMode.MULTIRUN:
            raise
        log.error("failed: %s", error)


def _run(folder: Path, values: dict[str, Any], choices: dict[str, str], hydra: HydraConf) -> None:
    record = Record(folder, list(hydra.overrides.task), choices, values)
    rejects.clear(folder)
    (folder / report.FILE).unlink(missing_ok=True)
    sweeping = hydra.mode == RunMode.MULTIRUN
    sweep = Path(hydra.sweep.dir) if sweeping else None
    try:
        legacy.check_config(values)
        _note_verl_config(record)
        with _termination_raised():
            pipeline.run(values, record, not sweeping, sweep)
    except BaseException as error:  # Ctrl-C and SIGTERM too leave a record
        record.write(error)
        report.of_failure(record, error)
        if not sweeping or not isinstance(error, Exception):
            raise
        log.error("failed: %s", error, exc_info=not isinstance(error, UserError))
    else:
        record.write(None)


def _note_verl_config(record: Record) -> None:
    """Say what came from `data.verl_config`. Raises UserError where it came too late to count."""
    path = record.config["data"]["verl_config"]
    if path is None:
        return
    if not any(each.lstrip("+").startswith(f"{verl_config.KEY}=") for each in record.overrides):
        raise UserError(f"{verl_config.KEY} is read from the command line only: give it there")
    generator = record.choices["generator"]
    record.results["verl_config"] = verl_config.report(path, record.overrides, generator)
