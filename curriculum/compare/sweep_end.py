"""The end of a sweep; light, because Hydra loads it before every run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from curriculum.core.errors import UserError

log = logging.getLogger(__name__)

# Of the sweeps of this process; run.py exits with 1 where there are any.
failed_jobs: list[str] = []


class SweepEnd(Callback):
    """Compares the runs of a sweep when all of them have ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """See `curriculum.compare`."""
        sweep = Path(config.hydra.sweep.dir)
        try:
            from curriculum.compare.sweep import compare
            from curriculum.config.build import build

            failed_jobs.extend(compare(sweep))
            chosen = {"tracker": OmegaConf.to_container(config.tracker, resolve=True)}
            build(chosen, "tracker").compare(sweep)
        except Exception as error:  # Hydra would turn it into a warning
            known = isinstance(error, UserError)
            log.error("the sweep could not be compared: %s", error, exc_info=not known)
            failed_jobs.append("comparison")
