"""What jobs of a sweep share is said once, on its page too."""

from __future__ import annotations

from typing import Any

import pytest

from curriculum.compare.alike import as_one, by_buckets, common_overrides
from curriculum.compare.page import of_sweep
from curriculum.store.entries import Store


def job(number: int, *overrides: str, easy: int = 1, edges: str = "0.5") -> dict:
    buckets = {"easy": easy, "hard": 9 - easy}
    run: dict[str, Any] = {
        "job": str(number),
        "overrides": ["num_samples=4", *overrides],
        "status": "completed",
    }
    run |= {"choice": ", ".join(overrides), "error": None}
    return run | {"buckets": buckets, "edges": edges, "problems": 9}


JOBS = [
    job(0, "bucketer=a", "sampler=x"),
    job(1, "bucketer=a", "sampler=y"),
    job(2, "bucketer=b", "sampler=x", easy=4),
    job(3, "bucketer=b", "sampler=y", easy=4),
    job(4, "bucketer=c", "sampler=x", easy=4),  # as many, but others
]
OTHERS = {(2, 3): 1.0, (0, 1): 1.0}
AGREEMENT = [
    {"job": str(one), "other": str(other), "index": OTHERS.get((one, other), 0.3)}
    for one in range(5)
    for other in range(one + 1, 5)
]


def test_runs_with_the_same_buckets_are_together():
    groups = by_buckets(JOBS, AGREEMENT)
    assert [[run["job"] for run in group] for group in groups] == [["0", "1"], ["2", "3"], ["4"]]
    shown = [as_one(group, JOBS)["choice"] for group in groups]
    assert shown == ["bucketer=a · 2 jobs", "bucketer=b · 2 jobs", "bucketer=c, sampler=x"]
    assert common_overrides(JOBS) == ["num_samples=4"]
    assert by_buckets([], []) == []


@pytest.fixture
def page_of(store, tmp_path):
    def page_of(runs, agreement) -> str:
        path = of_sweep(tmp_path, runs, agreement, [], [], Store(str(store)))
        return path.read_text(encoding="utf-8")

    return page_of


def test_a_page_shows_each_buckets_once(page_of):
    html = page_of(JOBS, AGREEMENT)
    assert html.count("easy 1, hard 8") == 1 and html.count("easy 4, hard 5") == 2
    assert html.count("those of job 0") == html.count("those of job 2") == 1
    assert html.count("<code>num_samples=4</code>") == 1
    part = html[html.index('class="heat"') :]
    assert part[: part.index("</table>")].count("<tr>") == 4  # a head, and three of five


def test_a_page_of_jobs_with_the_same_buckets_says_so_once(page_of):
    failed = {"job": "2", "overrides": ["num_samples=4"], "choice": "c", "status": "failed"}
    html = page_of([*JOBS[:2], failed | {"error": "it broke"}], [])
    assert "The same buckets in all 2 that got so far: easy 1, hard 8; edges 0.5." in html
    assert html.count("easy 1") == 1 and "it broke" in html
    assert 'id="agreement"' not in html
