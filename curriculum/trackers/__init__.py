"""Who follows a run: the files in its folder always, and Weights & Biases where it is chosen."""

from curriculum.core.names import EVENTS, METRICS
from curriculum.trackers.base import About, Tracker, Tracking
from curriculum.trackers.local import Local, LocalTracker
from curriculum.trackers.wandb import WandB

__all__ = [
    "EVENTS",
    "METRICS",
    "About",
    "Local",
    "LocalTracker",
    "Tracker",
    "Tracking",
    "WandB",
]
