"""What drives a sampler."""

from curriculum.trainers.base import Schedule, Trainer, Training
from curriculum.trainers.dry_run import DryRun

__all__ = ["DryRun", "Schedule", "Trainer", "Training"]
