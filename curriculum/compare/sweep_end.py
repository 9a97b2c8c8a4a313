"""The two ends of a sweep; light, because Hydra loads it before every run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from curriculum.core.errors import UserError, say
from curriculum.core.secrets import redacted

log = logging.getLogger(__name__)

# Of the sweeps of this process; run.py exits with 1 where there are any.
failed_jobs: list[str] = []


class SweepEnd(Callback):
    """Compares a sweep's runs when they have ended; lets none begin over those of another."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """See `curriculum.sweep.earlier`."""
        from curriculum.sweep.earlier import require_free_for_sweep

        try:
            _hide_secrets(config)
            require_free_for_sweep(config)
        except UserError as error:  # Hydra would turn it into a warning
            say(f"error: {error}")
            raise SystemExit(1) from error

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """See `curriculum.compare`."""
        sweep = Path(config.hydra.sweep.dir)
        try:
            from curriculum.compare.sweep import compare
            from curriculum.config.build import build
            from curriculum.core import atomic

            atomic.clear(sweep)
            failed_jobs.extend(compare(sweep))
            chosen = {"tracker": OmegaConf.to_container(config.tracker, resolve=True)}
            build(chosen, "tracker").compare(sweep)
        except Exception as error:  # Hydra would turn it into a warning
            known = isinstance(error, UserError)
            log.error("the sweep could not be compared: %s", error, exc_info=not known)
            failed_jobs.append("comparison")


def _hide_secrets(config: DictConfig) -> None:
    """Take secrets from what Hydra saves of a sweep; its jobs read the configuration again.

    Raises:
        UserError: where what is swept holds one, for that is kept to go on with it.
    """
    values: Any = OmegaConf.to_container(config)
    params = values["hydra"]["sweeper"].get("params")
    if redacted(params) != params:
        raise UserError("hydra.sweeper.params holds a secret: sweeps are kept with their values")
    for key in values.keys() - {"hydra"}:
        config[key] = redacted(values[key])
