"""`generator=replay`: rollouts that are on disk already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from curriculum.core.errors import UserError
from curriculum.formats.names import FailedCalls, Steps
from curriculum.generators.base import Batch, Generator, Response


@dataclass(frozen=True)
class Replay(Generator):
    """Rollouts at `path`, in any form that `data=rollouts` reads; None: those in the data."""

    path: str | list[str] | None = None
    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"
    columns: dict[str, str | int] | None = None
    step: Steps = None
    failed_calls: FailedCalls = "excluded"
    reward_key: str | None = None
    replays: ClassVar = True

    @property
    def batch_size(self) -> int:
        """See `Generator`."""
        return 1

    def recorded(self) -> Mapping[str, Any] | None:
        """See `Generator`."""
        return None if self.path is None else asdict(self)

    def generate(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        """Raises UserError: there is nothing to make."""
        raise UserError("replayed rollouts are read, not generated")
