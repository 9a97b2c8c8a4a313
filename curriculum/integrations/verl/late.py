"""For trainers of verl up to 0.8, which save a step before they tell what came of it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.prompts import Observations
from curriculum.core.records import Floats, from_single
from curriculum.integrations.verl.curriculum import DatasetCurriculum, accuracy_or
from curriculum.samplers.state_file import read_state, write_state


class LateFeedback(DatasetCurriculum):
    """Puts the feedback that comes after a state was saved into a file beside the checkpoints."""

    _saved_as: Path | None = None  # where the next feedback goes, after a state was saved

    def update(self, batch: Any) -> None:
        """Learn from a batch that was trained on, a DataProto: `acc` where there is one.

        Raises:
            UserError: where its prompts are not those that were drawn.
        """
        self.add(batch.non_tensor_batch["extra_info"], _rewards(batch))
        observations = self.collected()
        if self._saved_as is not None:
            write_state({"observations": dataclasses.asdict(observations)}, self._saved_as)
            self._saved_as = None
        self.observe(observations)

    def state_dict(self) -> dict[str, Any]:
        """What the loader saves; the feedback that comes next is put beside it."""
        state = super().state_dict()
        if self.log.folder is not None:
            self.log.folder.mkdir(parents=True, exist_ok=True)
            self._saved_as = self._feedback_after(state)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there, with the feedback that came after it was saved."""
        super().load_state_dict(state)
        path = self._feedback_after(state)
        if path is not None and path.exists():
            self.observe(Observations(**read_state(path)["observations"]))
        else:
            batch = self.batches + 1
            print(f"{self.where}: the feedback of batch {batch} is not at {path}: it is lost")

    def _feedback_after(self, state: Mapping[str, Any]) -> Path | None:
        if self.log.folder is None:
            return None
        return self.log.folder / f"after_{state['updates']}_{_digest(state)}.npz"


def _rewards(batch: Any) -> Floats:
    """`acc` of each rollout that has one, else its score."""
    score = from_single(batch.batch["token_level_scores"].sum(-1).float().cpu().numpy())
    said = batch.non_tensor_batch.get("acc")
    return score if said is None else accuracy_or(score, said)


def _digest(value: Any) -> str:
    """Changes with a state: JSON values and arrays."""
    digest = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, Mapping):
            for key in sorted(part):
                digest.update(f"{key}:".encode())
                add(part[key])
        elif isinstance(part, list | tuple):
            for each in part:
                add(each)
        elif isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(part).encode())

    add(value)
    return digest.hexdigest()[:8]
