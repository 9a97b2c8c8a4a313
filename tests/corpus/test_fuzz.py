"""A short round of `make fuzz`, the same each time."""

import pytest

from tests.corpus.fuzz import failure_of


@pytest.mark.slow
def test_changed_files_and_options_end_in_errors_of_ours():
    failures = [told for seed in range(300) if (told := failure_of(seed)) is not None]
    assert not failures, "\n".join(failures)
