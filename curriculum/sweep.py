"""The end of a sweep; light, because Hydra loads it before every run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

failed_jobs: list[
    str
] = []  # of the sweeps of this process; run.py exits with 1 where there are any


class SweepEnd(Callback):
    """Compares the runs of a sweep when all of them have ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """See `curriculum.compare`."""
        from curriculum.compare import compare

        failed_jobs.extend(compare(Path(config.hydra.sweep.dir)))
