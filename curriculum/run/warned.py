"""What a run warns of, on the terminal and in its result: silence is a bug, and so is a flood."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from curriculum.core.measured import Measured
from curriculum.run.ledger import Ledger

log = logging.getLogger(__name__)

PACKAGE = "curriculum"
MANY = 10  # empty buckets from which on there are too many of them


@contextmanager
def noted(ledger: Ledger) -> Iterator[None]:
    """Whatever this package warns of within stands under `warnings` in the result too."""
    handler = _Noting(ledger)
    logging.getLogger(PACKAGE).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(PACKAGE).removeHandler(handler)


class _Noting(logging.Handler):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.WARNING)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:  # an error ends the run, and is its `error`
            self._ledger.warn(record.getMessage())


def warn_of(measured: Measured) -> None:
    """Warn where the numbers of a run can't be what anybody wanted."""
    metrics, buckets = measured.metrics, measured.buckets
    if not len(metrics):
        return
    rates = metrics["c"] / metrics["n"]
    sizes = np.array(list(buckets.sizes().values()))
    used = int((sizes > 0).sum())
    if (rates == rates[0]).all() and rates[0] in (0, 1):
        log.warning(_ALL if rates[0] else _NONE, f"{int(metrics['n'].sum()):,}", f"{len(rates):,}")
    elif used == 1 < len(sizes):
        (name,) = (name for name, size in buckets.sizes().items() if size)
        log.warning(
            "all %s problems are in the bucket %s: these edges tell none from another; "
            "bucketer=percentile cuts by rank",
            f"{len(rates):,}",
            name,
        )
    if len(sizes) - used > MANY:
        log.warning(
            "%d of %d buckets are empty, and their files: fewer buckets would do (bucketer.n)",
            len(sizes) - used,
            len(sizes),
        )


_ALL = (
    "all %s rollouts of %s problems passed: either the model solves all of them, and none teaches "
    "it anything, or the reward passes everything"
)
_NONE = (
    "none of %s rollouts of %s problems passed: either the model solves none of them, and none "
    "teaches it anything, or the reward does not know an answer when it sees it"
)
