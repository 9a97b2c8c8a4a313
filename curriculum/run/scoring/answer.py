"""What a scorer's process answers."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["loaded", "scored", "raised", "too late", "ended", "unusable"]
GOES_ON = ("loaded", "scored", "raised")  # the scorer takes more after such an answer


class Answer(NamedTuple):
    """What became of a chunk, or of loading the reward."""

    kind: Kind
    cause: str = ""  # where there are no rewards
    rewards: list[float] | None = None
    scorer: int = 0  # process id, once it has loaded
