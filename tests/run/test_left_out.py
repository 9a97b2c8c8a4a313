"""A metric that problems have too few rollouts for is left out with a word."""

import json

import pytest


@pytest.fixture
def rollouts(tmp_path):
    """Ten problems of five rollouts; the first has four."""
    rows = [
        {
            "prompt": f"q {i}",
            "responses": ["r"] * n,
            "rewards": [1.0] * (i % 3) + [0.0] * (n - i % 3),
        }
        for i, n in enumerate([4, *[5] * 9])
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(("metric", "name"), [("mean_at_k", "mean@5"), ("pass_at_k", "pass_at_5")])
def test_it_is_said_for_how_many_problems_and_what_to_do(run, rollouts, tmp_path, metric, name):
    few = ("measure.mean_at_k=[1,8]", "measure.pass_at_k=[1,6]")
    done = run("data=rollouts", f"data.path={rollouts}", f"metric={metric}", "metric.k=5", *few)
    assert done.returncode == 0, done.stderr
    remedy = (
        "a smaller k (metric.k, measure.mean_at_k, measure.pass_at_k) or more rollouts would do"
    )
    why = "which have too few rollouts (n=4 at fewest)"
    said = [line for line in done.stderr.splitlines() if "left out" in line]
    assert said == [
        f"mean@8, pass@6: left out for all 10 problems, {why}; {remedy}",
        f"{name}: left out for 1 of 10 problems, {why}; {remedy}",
    ]
    every = {"problems": 10, "of": 10, "smallest_n": 4}
    found = {"mean@8": every, "pass@6": every, name: {**every, "problems": 1}}
    for file in ("result.json", "summary.json"):
        content = json.loads((tmp_path / "out" / file).read_text())
        assert content["left_out_metrics"] == found
