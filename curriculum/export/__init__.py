"""From buckets to files, in the layout of each convention."""

from curriculum.export import (
    analyze_rollouts,
    bucket_rollouts,
    filter_difficulty,
    generations,
    stages,
    standard,
)
from curriculum.export.base import Layout, Written, bucket_statistics, overall_statistics
from curriculum.export.knobs import Export

LAYOUTS = {
    "standard": Layout(standard.write, standard.show),
    "bucket_rollouts": Layout(bucket_rollouts.write, bucket_rollouts.show),
    "analyze_rollouts": Layout(analyze_rollouts.write, analyze_rollouts.show),
    "filter_difficulty": Layout(filter_difficulty.write, filter_difficulty.show),
    "stages": Layout(stages.write, stages.show),
}

GENERATIONS = Layout(generations.write, generations.show)  # beside any of them, on request

__all__ = [
    "GENERATIONS",
    "LAYOUTS",
    "Export",
    "Layout",
    "Written",
    "bucket_statistics",
    "overall_statistics",
]
