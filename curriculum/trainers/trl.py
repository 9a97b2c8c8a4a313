"""`trainer=trl`: TRL's GRPOTrainer, with the prompts that the sampler draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from curriculum.core.errors import UserError, require_extra
from curriculum.trainers.parts.model_trainer import ModelTrainer, Work


@dataclass(frozen=True)
class Trl(ModelTrainer):
    """Trains a Hugging Face model with GRPO, and measures it on problems held out as it goes.

    A run that was killed goes on from its last checkpoint where the same command is given again.
    """

    args: dict[str, Any] | None = None
    by: ClassVar = "with TRL"
    option: ClassVar = "trl"

    def __post_init__(self) -> None:
        if self.model is None:
            raise UserError("trainer=trl needs a model: model.path=NAME_OR_FOLDER or small")
        require_extra("trainer=trl", "trl", "trl", "torch")

    def train(self, work: Work) -> None:
        """See `ModelTrainer`."""
        from curriculum.trainers.parts.trl_loop import train

        train(self, self.args or {}, work)
