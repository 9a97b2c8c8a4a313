"""How the files of a run are named, and how its problems become training stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from curriculum.core.errors import UserError
from curriculum.core.file_names import require_file_name

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Export:
    """`export` in conf/config.yaml."""

    prefix: str = ""
    generations: bool = False
    order: bool = False
    buckets: list[str] | None = None
    filter: Literal["all", "best_only", "passing_only", "gradient"] = "all"
    gradient: Annotated[float, Field(gt=0, lt=1)] = 0.5
    keep: Annotated[list[Share], Field(min_length=2, max_length=2)] | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.5
    unique: bool = False
    per_source: dict[str, Annotated[int, Field(ge=1)]] | None = None
    replay: Annotated[float, Field(ge=0, lt=1)] = 0
    control: bool = False
    combine: bool = False
    name: str = "combined"
    cumulative: bool = False
    val_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.1
    split: Literal["bucket", "prompt", "data"] = "bucket"
    ground_truth: Literal["auto", "text", "object"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def shape(self) -> list[str]:
        """How buckets become stages, for telling apart runs that may share a folder."""
        if self.combine:
            return ["combined", self.name]
        return ["cumulative"] if self.cumulative else ["separate", *(self.buckets or [])]

    def sources_named(self) -> dict[str, list[str]]:
        """Data sources that settings name, by setting."""
        return {"per_source": list(self.per_source or ())}

    def __post_init__(self) -> None:
        for key, value in (("prefix", self.prefix), ("name", self.name)):
            require_file_name(f"export.{key}", value)
        if self.keep is not None and self.keep[0] >= self.keep[1]:
            raise UserError(f"export.keep={self.keep}: the lower pass rate first")
        if self.combine and self.cumulative:
            raise UserError(
                "export.combine makes one stage of all buckets, export.cumulative several that "
                "grow: set one of them"
            )
