"""The end of a sweep; light, because Hydra loads it before every run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

log = logging.getLogger(__name__)

# Of the sweeps of this process; run.py exits with 1 where there are any.
failed_jobs: list[str] = []


class SweepEnd(Callback):
    """Compares the runs of a sweep when all of them have ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """See `curriculum.compare`."""
        from curriculum.compare import compare

        try:
            failed_jobs.extend(compare(Path(config.hydra.sweep.dir)))
        except Exception:  # Hydra would turn it into a warning
            log.exception("the sweep could not be compared")
            failed_jobs.append("comparison")
