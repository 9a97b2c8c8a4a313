"""pass@k against counting."""

from itertools import combinations

import numpy as np
import pytest

from curriculum.metrics.unbiased_pass_at_k import pass_at_k


@pytest.mark.parametrize("k", range(1, 9))
def test_pass_at_k_counts_the_subsets_with_a_pass(k):
    pairs = [(n, c) for n in range(1, 9) for c in range(n + 1)]
    n, c = np.array(pairs, float).T
    expected = [
        np.mean([min(subset) < passes for subset in combinations(range(int(samples)), k)])
        if samples >= k
        else np.nan
        for samples, passes in zip(n, c, strict=True)
    ]
    np.testing.assert_allclose(pass_at_k(n, c, k), expected, rtol=1e-12, atol=1e-15)


def test_pass_at_k_does_not_overflow():
    n, c = np.array([2000.0, 2000.0, 2000.0]), np.array([0.0, 1.0, 2000.0])
    assert pass_at_k(n, c, 1000) == pytest.approx([0, 0.5, 1])
