"""What every step of a run is told beside its settings and its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from curriculum.core.terminal import printed_in_log
from curriculum.run.ledger import Ledger
from curriculum.store.entries import Store


@dataclass(frozen=True)
class Context:
    """Where a run is, and how it was asked for."""

    folder: Path  # its own
    choices: Mapping[str, str]  # option of each group, as results and errors name it
    overrides: Sequence[str]  # of the command line
    store: Store
    ledger: Ledger  # written to, never read from
    sweep: Path | None  # folder of the sweep that it is part of
    show: bool  # whether the terminal is this run's alone

    @classmethod
    def of(
        cls,
        cfg: Mapping[str, Any],
        folder: Path,
        choices: Mapping[str, str],
        overrides: Sequence[str] = (),
        sweep: Path | None = None,
        show: bool = False,
    ) -> Self:
        """Begin a run of plain values, interpolations resolved, in a folder that is there."""
        store = Store(str(cfg["store_dir"]))
        ledger = Ledger(folder, overrides, choices, cfg)
        return cls(folder, choices, overrides, store, ledger, sweep, show)

    def printing(self) -> AbstractContextManager[None]:
        """What is printed within is for the terminal where it is this run's, else for its log."""
        return nullcontext() if self.show else printed_in_log()
