"""How the files of a run are named, and how its problems become training stages."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.core.errors import UserError

FILTERS = ("all", "best_only", "passing_only")
SPLITS = ("bucket", "prompt")


@dataclass(frozen=True)
class Export:
    """`export` in conf/config.yaml."""

    prefix: str
    generations: bool
    buckets: list[str] | None
    filter: str
    combine: bool
    name: str
    cumulative: bool
    val_fraction: float
    split: str
    seed: int

    @property
    def shape(self) -> list[str]:
        """How buckets become stages, for telling apart runs that may share a folder."""
        if self.combine:
            return ["combined", self.name]
        return ["cumulative"] if self.cumulative else ["separate", *(self.buckets or [])]

    def __post_init__(self) -> None:
        for key, value in (("prefix", self.prefix), ("name", self.name)):
            if "/" in value:
                raise UserError(f"export.{key}={value} can't have a '/': output_dir is the folder")
        if self.filter not in FILTERS:
            raise UserError(f"export.filter={self.filter}: there are {', '.join(FILTERS)}")
        if self.split not in SPLITS:
            raise UserError(f"export.split={self.split}: there are {', '.join(SPLITS)}")
        if self.combine and self.cumulative:
            raise UserError(
                "export.combine makes one stage of all buckets, export.cumulative several that "
                "grow: set one of them"
            )
        if not 0 <= self.val_fraction < 1:
            raise UserError(f"export.val_fraction={self.val_fraction} is a share, 0 up to 1")
