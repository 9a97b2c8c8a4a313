"""`trainer=local`: GRPO of a small model on one core, in minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from curriculum.core.errors import UserError, require_extra
from curriculum.trainers.parts.model_trainer import ModelTrainer, Work


@dataclass(frozen=True)
class Local(ModelTrainer):
    """Trains a small Llama as TRL's GRPOTrainer does by its defaults: on policy, the same loss and
    optimiser, one step a batch. Groups without a gradient cost no backward pass.

    A run that was killed goes on from its last checkpoint where the same command is given again.
    """

    by: ClassVar = "here"
    option: ClassVar = "local"

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("trainer=local needs a model: model.path=FOLDER or small")
        require_extra("trainer=local", "torch", "torch", "transformers")

    def train(self, work: Work) -> None:
        """See `ModelTrainer`."""
        from curriculum.trainers.parts.local_loop import train

        train(self, work)
