"""Names of the files that runs and sweeps leave, and of what several rooms speak of."""

from __future__ import annotations

RESULT = "result.json"  # of a run: what was done, written last
PROBLEMS = "problems.parquet"  # of the store: the problems that a run read
EDGES = "buckets.json"  # the edges of a run's buckets
CUTS = "cuts"  # its key for the metric that was cut and the values between the buckets, or null
SUMMARY = "summary"  # its key for what tables say of edges that are no such values
BEYOND = "beyond"  # its key for buckets behind those that were cut
ASSIGNMENT = "buckets.parquet"  # each problem's bucket
PROMPTS = "prompts.parquet"  # what samplers need to know of each problem
METRICS = "metrics.parquet"  # of a training: a row a step
EVENTS = "events.jsonl"  # of a training: what the sampler did
COMPARISON = "comparison"  # of a sweep's jobs: .json, .parquet, .md and .png in its folder

# Keys that say where a run is, not what it does.
OUTSIDE = (
    *("output_dir", "store_dir", "resume", "overwrite", "trust"),
    *("tracker", "report", "provenance", "name"),
)
REJECTS = "rejects"  # folder of what a run could not use, with its cause

UNKNOWN = "unknown_hard"  # the bucket of problems that are hard, nobody knows how hard
UNSCORED = "unscored"  # the bucket of lines without a single usable reward
CONTROL = "uniform"  # the sampler that others are compared to
RECOMMENDED = "frontier"  # where none is named: the one that won in docs/results.md
