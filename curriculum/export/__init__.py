"""From buckets to files, in the layout of each convention."""

from curriculum.export import analyze_rollouts, bucket_rollouts, standard
from curriculum.export.base import Layout, Written, bucket_statistics, overall_statistics

LAYOUTS = {
    "standard": Layout(standard.write, standard.show),
    "bucket_rollouts": Layout(bucket_rollouts.write, bucket_rollouts.show),
    "analyze_rollouts": Layout(analyze_rollouts.write, analyze_rollouts.show),
}

__all__ = ["LAYOUTS", "Layout", "Written", "bucket_statistics", "overall_statistics"]
