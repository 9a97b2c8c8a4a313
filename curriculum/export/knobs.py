"""How the files of a run are named, and how its problems become training stages."""

from __future__ import annotations

from dataclasses import dataclass

from curriculum.errors import UserError

FILTERS = ("all", "best_only", "passing_only")


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
    seed: int

    @property
    def label(self) -> str:
        """What tells the stages of runs apart that may share a folder."""
        if self.combine:
            return self.name
        return "cumulative" if self.cumulative else "_".join(self.buckets or [])

    def __post_init__(self) -> None:
        for key, value in (("prefix", self.prefix), ("name", self.name)):
            if "/" in value:
                raise UserError(f"export.{key}={value} can't have a '/': output_dir is the folder")
        if self.filter not in FILTERS:
            raise UserError(f"export.filter={self.filter}: there are {', '.join(FILTERS)}")
        if self.combine and self.cumulative:
            raise UserError(
                "export.combine makes one stage of all buckets, export.cumulative several that "
                "grow: set one of them"
            )
        if not 0 <= self.val_fraction < 1:
            raise UserError(f"export.val_fraction={self.val_fraction} is a share, 0 up to 1")
