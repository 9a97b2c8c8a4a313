"""What drives a sampler."""

from curriculum.trainers.base import Log, Schedule, Tasks, Trainer, Training
from curriculum.trainers.dry_run import DryRun
from curriculum.trainers.local import Local
from curriculum.trainers.trl import Trl
from curriculum.trainers.verl import Verl

__all__ = ["DryRun", "Local", "Log", "Schedule", "Tasks", "Trainer", "Training", "Trl", "Verl"]
