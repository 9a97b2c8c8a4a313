"""A curriculum as the sampler of a PyTorch DataLoader, or of torchdata's StatefulDataLoader.

The dataset's rows are the curriculum's: `Curriculum.from_run(run, index=...)` is told which rows
the dataset has, and in which order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from torch.utils.data import Sampler

from curriculum.core.errors import UserError
from curriculum.samplers import Curriculum

T = TypeVar("T")
FOLLOW = "go through the loader by BatchSampler.follow: `for batch in sampler.follow(loader)`"


class CurriculumSampler(Sampler[int]):
    """One row after another; an epoch is as many whole batches as the prompts fill.

        loader = DataLoader(dataset, batch_size=curriculum.batch_size, drop_last=True,
                            sampler=CurriculumSampler(curriculum))

    A loader without workers asks for a row when it is needed, so no feedback is late, and saving
    the state (a StatefulDataLoader does) after a step resumes exactly. With workers, rows are drawn
    ahead: take `BatchSampler`.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.curriculum = curriculum

    def __len__(self) -> int:
        return len(self.curriculum)

    def __iter__(self) -> Iterator[int]:
        yield from self.curriculum  # lazily: loaders ask twice where they resume

    def state_dict(self) -> dict[str, Any]:
        """See `Curriculum`."""
        return self.curriculum.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Curriculum`."""
        self.curriculum.load_state_dict(state)


class BatchSampler(Sampler[list[int]]):
    """One batch after another, with exact resume also where workers are ahead of the training.

        sampler = BatchSampler(curriculum)
        loader = DataLoader(dataset, batch_sampler=sampler, num_workers=2)
        for batch in sampler.follow(loader):
            ...
            torch.save(sampler.state_dict(), path)

    Batches that were drawn and not yet trained on are part of the state: a resumed loader gets them
    first, and everything after is drawn when, and with the feedback with which, it would have been.
    The state of a StatefulDataLoader with workers knows nothing of that: save the sampler's.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.curriculum = curriculum
        self._ahead: deque[list[int]] = deque()  # drawn, and not yet come out of the loader
        self._followed = self._unknown = False  # whether batches were drawn for who knows whom

    def __len__(self) -> int:
        return len(self.curriculum) // self.curriculum.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        again = list(self._ahead)  # of a loader that was left, or of a run that is resumed
        if again and not self._followed:
            raise UserError(FOLLOW)
        yield from again
        if again and self.curriculum.epoch_ended:
            return
        rows = iter(self.curriculum)
        for first in rows:
            batch = [first, *islice(rows, self.curriculum.batch_size - 1)]
            if self._followed:
                self._ahead.append(batch)
            else:
                self._unknown = True
            yield batch

    def follow(self, loader: Iterable[T]) -> Iterator[T]:
        """What the loader gives, and the sampler knows of it."""
        self._followed = True
        for batch in loader:
            self._ahead.popleft()
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """That of the curriculum, and the batches that are under way.

        Raises:
            UserError: where a loader was not followed, so that nobody knows which these are.
        """
        if self._unknown:
            raise UserError(FOLLOW)
        return {
            "ahead": [list(batch) for batch in self._ahead],
            "curriculum": self.curriculum.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there, in a loader that is asked for its next epoch."""
        self.curriculum.load_state_dict(state["curriculum"])
        self._ahead = deque(list(batch) for batch in state["ahead"])
