"""What drives a sampler."""

from curriculum.trainers.base import Schedule, Trainer, Training
from curriculum.trainers.dry_run import DryRun
from curriculum.trainers.prompts import prompts_of

__all__ = ["DryRun", "Schedule", "Trainer", "Training", "prompts_of"]
