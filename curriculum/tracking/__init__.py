"""Who follows a run: the files in its folder always, and Weights & Biases where it is chosen."""

from curriculum.tracking.base import About, Tracker, Tracking
from curriculum.tracking.local import EVENTS, METRICS, Local, LocalTracker
from curriculum.tracking.tracked import tracked
from curriculum.tracking.wandb import WandB

__all__ = [
    "EVENTS",
    "METRICS",
    "About",
    "Local",
    "LocalTracker",
    "Tracker",
    "Tracking",
    "WandB",
    "tracked",
]
