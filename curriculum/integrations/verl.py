"""verl, behind plain functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curriculum.records import Sample


def compute_scores(samples: Sequence[Sample]) -> list[float]:
    """verl's default reward; raises NotImplementedError for a data source verl doesn't know."""
    from verl.utils.reward_score import default_compute_score

    results = [
        default_compute_score(
            data_source=each.data_source,
            solution_str=each.response,
            ground_truth=each.ground_truth,
            extra_info=each.extra_info,
        )
        for each in samples
    ]
    return [float(each["score"] if isinstance(each, Mapping) else each) for each in results]
