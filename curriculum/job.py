"""One job of Hydra's: run the pipeline in its folder and leave a record, whatever happens."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from curriculum import aside, pipeline
from curriculum.errors import UserError
from curriculum.provenance import FILE, Record

log = logging.getLogger(__name__)


def run(cfg: DictConfig) -> None:
    """Run the pipeline; in a sweep a failure is recorded and the other jobs go on."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    values = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    choices = {str(k): str(v) for k, v in hydra.runtime.choices.items() if "hydra/" not in str(k)}
    record = Record(folder, list(hydra.overrides.task), choices, values)
    (folder / FILE).unlink(missing_ok=True)
    aside.clear(folder)
    sweeping = hydra.mode == RunMode.MULTIRUN
    try:
        pipeline.run(values, record, show=not sweeping)
    except Exception as error:
        record.write(error)
        if not sweeping:
            raise
        log.error("failed: %s", error, exc_info=not isinstance(error, UserError))
    else:
        record.write(None)
