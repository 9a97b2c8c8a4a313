"""The fifth step: problems in buckets, and with that all that a run measures."""

from __future__ import annotations

from curriculum.core.measured import Measured
from curriculum.core.names import PROMPTS
from curriculum.core.records import Metrics
from curriculum.core.sources import source_statistics
from curriculum.core.summary import bucket_statistics, overall_statistics
from curriculum.run.bucketing import cut
from curriculum.run.context import Context
from curriculum.run.rewards import Rewarded
from curriculum.run.settings import Settings
from curriculum.run.warned import warn_of


def bucket(settings: Settings, rewarded: Rewarded, metrics: Metrics, context: Context) -> Measured:
    """Cut the problems into buckets, and leave the edges and each problem's bucket."""
    problems, rollouts, rewards, groups, findings = rewarded
    (context.folder / PROMPTS).unlink(missing_ok=True)  # of other buckets
    with context.ledger.timed("buckets"):
        unknown = findings.unknown_hard if findings else None
        unknown = None if unknown is None else unknown[groups.problem]
        edges, folder = settings.edges.edges, context.folder
        buckets = cut(settings.bucketer, metrics, edges, folder, unknown)
    bucketing, label = context.choices["bucketer"], settings.data.label
    of_rollouts = settings.data.rollout_columns
    measured = Measured(
        problems, rollouts, rewards, groups, metrics, buckets, bucketing, label, of_rollouts
    )
    warn_of(measured)
    context.ledger.note(
        **overall_statistics(metrics),
        buckets=bucket_statistics(measured),
        sources=source_statistics(measured),
    )
    return measured
