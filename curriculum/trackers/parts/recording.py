"""A run of W&B's on this machine's disk, and its way to the server."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curriculum.core.errors import UserError
from curriculum.core.records import Floats
from curriculum.core.secrets import redacted
from curriculum.core.terminal import shown
from curriculum.integrations.wandb import files_in, flush_every
from curriculum.trackers.parts.delivery import Delivery
from curriculum.trackers.parts.identity import Identity

log = logging.getLogger(__name__)

BINS = 50  # of a histogram


class Recording:
    """One run of W&B's, from its first line on the disk until all of it is there.

    Args:
        folder: where it is recorded.
        mode: auto, online, offline, or disabled: nothing happens at all.
        timeout: seconds for the server to take it.
        finish_timeout: seconds at the end for the rest to arrive.
        identity: what must be the same for it to be the same run when it is begun again.
        about: as `wandb.init` takes it.

    Raises:
        UserError: with mode=online, where the server does not take it.
    """

    def __init__(
        self,
        folder: Path,
        mode: str,
        timeout: float,
        finish_timeout: float,
        identity: Mapping[str, Any],
        *,
        system_metrics: bool,
        **about: Any,
    ) -> None:
        import wandb

        self._folder, self._finish_timeout = folder.resolve(), finish_timeout
        self._identity = Identity.of(self._folder, identity)
        settings = wandb.Settings(
            console="off",
            silent=True,
            save_code=False,
            disable_git=True,  # which would note the remote's address, with what secrets it has
            disable_job_creation=True,
            symlink=False,
            x_disable_stats=not system_metrics,
        )
        flush_every(settings, seconds=1.0)
        self._run = wandb.init(
            id=self._identity.id,
            dir=self._folder.parent,
            mode="disabled" if mode == "disabled" else "offline",  # and sent by another process
            reinit="create_new",  # several runs in a process, none of which may end another
            settings=settings,
            **redacted(about),
        )
        self._recorded = Path(self._run.dir).parent
        self._delivery: Delivery | None = None
        if mode == "offline":
            self._say("recorded in")
        elif mode != "disabled":
            self._deliver(mode, timeout)

    def step_of(self, section: str) -> None:
        """Have the numbers of a section drawn over its own steps rather than over W&B's."""
        self._run.define_metric(f"{section}/step")
        self._run.define_metric(f"{section}/*", step_metric=f"{section}/step")

    def log(self, values: Mapping[str, Any]) -> None:
        """A row of numbers."""
        self._run.log(dict(values))

    def histogram(self, name: str, values: Floats) -> None:
        """How numbers are spread; those that are infinite are left out."""
        import wandb

        finite = values[np.isfinite(values)]
        if len(finite):
            self._run.log({name: wandb.Histogram(np_histogram=np.histogram(finite, BINS))})

    def table(self, name: str, table: pd.DataFrame) -> None:
        """A table, at most 10,000 rows of which W&B shows."""
        import wandb

        with files_in(self._folder):
            self._run.log({name: wandb.Table(dataframe=table)})

    def image(self, name: str, path: Path) -> None:
        """A picture."""
        import wandb

        self._run.log({name: wandb.Image(str(path))})

    def summarize(self, values: Mapping[str, Any]) -> None:
        """What the table of runs says."""
        for name, value in values.items():
            self._run.summary[name] = value

    def configure(self, values: Mapping[str, Any]) -> None:
        """More of the configuration, known only now."""
        for name, value in values.items():
            self._run.config[name] = value

    def finish(self, error: BaseException | None) -> None:
        """The end, and how it came; what is under way to the server is waited for."""
        if isinstance(error, SystemExit) and "SLURM_JOB_ID" in os.environ:
            self._run.mark_preempting()
        self._run.finish(exit_code=_exit_code(error))
        if error is None:
            self._identity.forget()
        if self._delivery is not None and not self._delivery.finish(self._finish_timeout):
            self._say("not all of it has arrived; the rest is in", logging.WARNING)

    def _deliver(self, mode: str, timeout: float) -> None:
        why = None if mode == "online" else Delivery.given_up
        if why is None:
            delivery = Delivery(self._recorded)
            address = delivery.address(timeout)
            if address is not None:
                log.info("W&B: %s", address)
                self._delivery = delivery
                return
            why = delivery.give_up(timeout)
        if mode == "online":
            self._run.finish(exit_code=1)
            raise UserError(
                f"mode=online, but W&B has not taken the run: {why}. With tracker.mode=auto it is "
                "recorded then, to be sent later"
            )
        self._say(f"not online ({why}); recorded in", logging.WARNING)

    def _say(self, what: str, level: int = logging.INFO) -> None:
        path = shown(self._recorded)
        log.log(level, "W&B: %s %s; to send it: wandb sync %s", what, path, path)


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return error.code
    return 130 if isinstance(error, KeyboardInterrupt) else 1
