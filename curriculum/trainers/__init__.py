"""What drives a sampler."""

from curriculum.trainers.base import Log, Schedule, Trainer, Training
from curriculum.trainers.dry_run import DryRun

__all__ = ["DryRun", "Log", "Schedule", "Trainer", "Training"]
