"""Workers are as many as the cores that a process may use."""

import os

import pytest

from curriculum.core.cores import count_cores


@pytest.fixture
def bound_to():
    """Binds this process to some of its cores; lets go of them in the end."""
    every = os.sched_getaffinity(0)
    yield lambda count: os.sched_setaffinity(0, sorted(every)[:count])
    os.sched_setaffinity(0, every)


def test_a_process_that_is_bound_has_the_cores_it_is_bound_to(tmp_path, bound_to):
    bound_to(1)
    assert count_cores(tmp_path / "cpu.max") == 1  # no quota


@pytest.mark.parametrize(
    ("content", "cores"),
    [
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),  # half a core
        ("max 100000\n", None),
        ("100000000 100000\n", None),  # a thousand cores are not there
    ],
)
def test_a_container_has_its_share(tmp_path, content, cores):
    quota = tmp_path / "cpu.max"
    quota.write_text(content)
    assert count_cores(quota) == (cores or len(os.sched_getaffinity(0)))
