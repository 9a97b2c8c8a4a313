"""From buckets to files, in the layout of each convention."""

from curriculum.layouts import (
    analyze_rollouts,
    bucket_rollouts,
    filter_difficulty,
    generations,
    stages,
    standard,
)
from curriculum.layouts.base import Layout, Written, bucket_statistics, overall_statistics
from curriculum.layouts.settings import Export

LAYOUTS = {
    each.name: each
    for each in (
        Layout("standard", standard.write, standard.show),
        Layout("bucket_rollouts", bucket_rollouts.write, bucket_rollouts.show),
        Layout("analyze_rollouts", analyze_rollouts.write, analyze_rollouts.show),
        Layout("filter_difficulty", filter_difficulty.write, filter_difficulty.show, True),
        Layout("stages", stages.write, stages.show, claims=stages.claims, trained=stages.trained),
    )
}

GENERATIONS = Layout("generations", generations.write, generations.show, on_request=True)

__all__ = [
    "GENERATIONS",
    "LAYOUTS",
    "Export",
    "Layout",
    "Written",
    "bucket_statistics",
    "overall_statistics",
]
