"""verl 0.8, whose trainer takes no sampler, but a dataset that is told of each batch.

    python -m verl.trainer.main_ppo data.custom_cls.path=pkg://curriculum.integrations.verl \
        data.custom_cls.name=CurriculumDataset data.dataloader_num_workers=0 \
        +curriculum.run=RUN_FOLDER +curriculum.sampler=frontier ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from verl.utils.dataset.rl_dataset import RLHFDataset

from curriculum.core.errors import UserError
from curriculum.integrations.verl.late import LateFeedback
from curriculum.integrations.verl.options import WHERE, chosen, root


class CurriculumDataset(RLHFDataset):
    """verl's dataset: whichever row is asked for, it gives the one that the curriculum draws.

    Of `data.train_files`; a dataset of other files, as those to validate on, is verl's own.
    """

    def __init__(
        self,
        data_files: Any,
        tokenizer: Any,
        config: Any,
        processor: Any = None,
        max_samples: int = -1,
    ) -> None:
        """As verl makes it, with its `data`.

        Raises:
            UserError: where workers would draw, training and validation files can't be told apart,
                a key is unknown or out of its range, or rows and run don't fit.
        """
        super().__init__(data_files, tokenizer, config, processor, max_samples)
        self._curriculum: LateFeedback | None = None
        self._rows: Iterator[int] = iter(())
        if data_files == config.train_files:
            _require_told_apart(config)
            everything, size = root(config), config.get("gen_batch_size") or config.train_batch_size
            self._curriculum = LateFeedback(self, everything, size, chosen(everything), WHERE)

    def __getitem__(self, item: int) -> Any:
        return super().__getitem__(item if self._curriculum is None else self._next())

    def _next(self) -> int:
        assert self._curriculum is not None
        for row in self._rows:
            return row
        self._rows = iter(self._curriculum)
        return next(self._rows)

    def on_batch_end(self, batch: Any) -> None:
        """Learn from a batch that was trained on, a DataProto."""
        if self._curriculum is not None:
            self._curriculum.update(batch)

    def state_dict(self) -> dict[str, Any]:
        """What the loader saves."""
        return {} if self._curriculum is None else self._curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        if self._curriculum is not None:
            self._curriculum.load_state_dict(state)


def _require_told_apart(config: Any) -> None:
    if config.get("dataloader_num_workers", 8):
        raise UserError("set data.dataloader_num_workers=0: a worker would draw without feedback")
    if config.get("val_files") == config.train_files:
        raise UserError(
            "data.val_files is data.train_files: the curriculum would draw what is validated on"
        )
