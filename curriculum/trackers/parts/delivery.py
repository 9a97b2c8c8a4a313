"""What a run records goes to W&B's server by W&B's own `sync`, in a process of its own.

In the run's process, a server that falls silent makes W&B block: 19 seconds for each table, and at
the end for as long as the silence lasts, whatever the timeouts say. A run that records to its disk,
and another process that reads what is there, can't disturb each other. What has not arrived in the
end is still on the disk, for `wandb sync`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

from curriculum.integrations import wandb_sender
from curriculum.integrations.wandb import SYNC

LOG = "delivery.log"
SENDER = Path(wandb_sender.__file__)
ADDRESS = re.compile(r"View run .* at (https?://\S+)")
BEFORE_THE_CAUSE = re.compile(r"^(wandb: )?(ERROR )?([\w.]+Error: )?")
OF_THE_RUN = ("WANDB_MODE", "WANDB_SERVICE")  # environment: its mode, and its own wandb-core
INTERVAL = 0.1  # seconds between two looks at what the process says


class Delivery:
    """Sends a run while it is recorded; it ends with the run, or with this process."""

    # Why a server has not taken an earlier run of this process, where it has not: the many runs of
    # a sweep need not all wait for it.
    given_up: ClassVar[str | None] = None

    def __init__(self, recorded: Path) -> None:
        self._log = recorded.parent / LOG
        kept = {name: value for name, value in os.environ.items() if name not in OF_THE_RUN}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(SENDER), *SYNC, str(recorded)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=kept | {"WANDB_DIR": str(recorded.parent.parent)},
                start_new_session=True,  # Ctrl-C is the run's; what it recorded is still sent
            )

    def address(self, timeout: float) -> str | None:
        """Where the run can be seen; None if the server has not taken it within the seconds."""
        end = time.monotonic() + timeout
        while True:
            ended = self._process.poll() is not None  # before the last look
            found = ADDRESS.search(self._said())
            if found or ended or time.monotonic() > end:
                return found.group(1) if found else None
            time.sleep(INTERVAL)

    def give_up(self, timeout: float) -> str:
        """End it, for the server did not take the run within the seconds; return why."""
        why = self._failure() or f"no answer within {timeout:g} s"
        self.stop()
        Delivery.given_up = why
        return why

    def finish(self, timeout: float) -> bool:
        """Whether everything arrived within the seconds; the process is gone in either case."""
        try:
            done = self._process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            done = False
        self.stop()
        return done

    def stop(self) -> None:
        """End the process; a fork of this one may hold the pipe open, so not by that alone."""
        self._process.terminate()
        self._process.communicate()

    def _failure(self) -> str | None:
        """Why the process has ended; None where it has not."""
        if self._process.poll() is None:
            return None
        lines = [line for line in self._said().splitlines() if line.strip()]
        told = BEFORE_THE_CAUSE.sub("", lines[-1]).rstrip(".") if lines else ""
        return told or f"wandb sync ended with {self._process.returncode}"

    def _said(self) -> str:
        return self._log.read_text(errors="replace")
