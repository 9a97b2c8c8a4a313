"""From buckets to files, in the layout of each convention."""

from curriculum.layouts.analyze_rollouts import AnalyzeRollouts
from curriculum.layouts.base import Layout
from curriculum.layouts.bucket_rollouts import BucketRollouts
from curriculum.layouts.filter_difficulty import FilterDifficulty
from curriculum.layouts.generations import Generations
from curriculum.layouts.settings import Export
from curriculum.layouts.stages import Stages
from curriculum.layouts.standard import Standard

# By their names in `convention.layouts`.
LAYOUTS: dict[str, type[Layout]] = {
    "standard": Standard,
    "bucket_rollouts": BucketRollouts,
    "analyze_rollouts": AnalyzeRollouts,
    "filter_difficulty": FilterDifficulty,
    "stages": Stages,
}

__all__ = [
    "LAYOUTS",
    "AnalyzeRollouts",
    "BucketRollouts",
    "Export",
    "FilterDifficulty",
    "Generations",
    "Layout",
    "Stages",
    "Standard",
]
