"""Edges that a run leaves, and runs that cut with those of another."""

import dataclasses
import json

import pyarrow.parquet as pq
import pytest

from curriculum.bucketers import Adaptive, MeanReward, PassRate, Percentile, Threshold
from curriculum.core.errors import UserError
from curriculum.run.bucketing import cut
from curriculum.testing import make_metrics

GROUPS = [[0.0] * 5, [1.0] * 5, [1.0, 1.0, 0.0, 0.0, 0.2], [0.0, 0.0, 1.0, 0.0, 0.0]]


def fitted(folder, bucketer, metrics):
    """The buckets.json of a run."""
    folder.mkdir()
    cut(bucketer, metrics, None, folder)
    return str(folder / "buckets.json")


def test_a_run_leaves_its_edges_and_the_bucket_of_each_problem(tmp_path):
    cut(PassRate([0.8, 0.2], None, True), make_metrics(GROUPS), None, tmp_path)
    assert json.loads((tmp_path / "buckets.json").read_text()) == {
        "bucketer": "PassRate",
        "names": ["easy", "medium", "hard"],
        "beyond": [],
        "edges": {"rates": [0.8, 0.2], "edge_is_easier": True},
        "cuts": {"metric": "pass_rate", "values": [0.8, 0.2]},
        "summary": "",
        "measure": {"threshold": 0.5, "strict": False, "scale": 1, "std_weight": 0.3},
    }
    table = pq.read_table(tmp_path / "buckets.parquet")
    assert table.select(["problem_id", "bucket", "n", "c"]).to_pylist() == [
        {"problem_id": "p0", "bucket": "hard", "n": 5, "c": 0},
        {"problem_id": "p1", "bucket": "easy", "n": 5, "c": 5},
        {"problem_id": "p2", "bucket": "medium", "n": 5, "c": 2},
        {"problem_id": "p3", "bucket": "medium", "n": 5, "c": 1},
    ]


def test_edges_of_another_run_are_applied_and_left_again(tmp_path):
    edges = fitted(tmp_path / "first", Percentile(2, ["a", "b"]), make_metrics(GROUPS))
    harder = make_metrics([[0.0], [0.1], [0.2]])
    buckets = cut(Percentile(2, ["a", "b"]), harder, edges, tmp_path)
    assert buckets.sizes() == {"a": 0, "b": 3}
    assert (tmp_path / "buckets.json").read_text() == (
        tmp_path / "first" / "buckets.json"
    ).read_text()


def test_edges_may_be_infinite_and_are_still_json(tmp_path):
    hopeless = dataclasses.replace(make_metrics([[0.0]] * 4), chosen="inverse_mean")
    edges = fitted(tmp_path / "first", Percentile(2, None), hopeless)

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    json.loads((tmp_path / "first" / "buckets.json").read_text(), parse_constant=refuse)
    assert cut(Percentile(2, None), hopeless, edges, tmp_path).sizes() == {"easy": 2, "hard": 2}


@pytest.mark.parametrize(
    ("bucketer", "chosen", "words"),
    [
        (PassRate([0.5], None, True), "mean_reward", "Percentile.*PassRate"),
        (Percentile(2, None), "variance", "mean_reward.*variance"),
    ],
)
def test_edges_of_another_bucketer_or_metric_are_refused(tmp_path, bucketer, chosen, words):
    metrics = make_metrics(GROUPS)
    edges = fitted(tmp_path / "first", Percentile(2, None), metrics)
    with pytest.raises(UserError, match=words):
        cut(bucketer, dataclasses.replace(metrics, chosen=chosen), edges, tmp_path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (MeanReward([0.5], None), MeanReward(None, ["a", "b"])),
        (MeanReward(None, ["a", "b"]), MeanReward([0.5], None)),
        (
            Adaptive(2, None, ["mean_reward", "std_reward"], "mean_reward", 0),
            Adaptive(3, None, ["pass@1", "variance", "c"], "mean_reward", 0),
        ),
    ],
    ids=["rewards for ranks", "ranks for rewards", "other features"],
)
def test_edges_count_and_not_the_knobs_of_the_run_that_loads_them(tmp_path, first, second):
    metrics = make_metrics(GROUPS)
    edges = fitted(tmp_path / "first", first, metrics)
    loaded = cut(second, metrics, edges, tmp_path)
    assert loaded.assignment.tolist() == first.assign(metrics).tolist()
    assert loaded.names == first.names_


def test_a_file_that_holds_no_edges_is_named(tmp_path):
    (tmp_path / "edges.json").write_text("easy,hard")
    with pytest.raises(UserError, match=r"edges\.json is not JSON"):
        cut(Threshold([0.5], None), make_metrics(GROUPS), str(tmp_path / "edges.json"), tmp_path)


def test_edges_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UserError, match=r"bucketer\.edges=.*nowhere\.json"):
        cut(Threshold([0.5], None), make_metrics(GROUPS), str(tmp_path / "nowhere.json"), tmp_path)


@pytest.mark.slow
def test_edges_of_percent_are_refused_where_rates_are_shares(run, tmp_path):
    first = run("metric=pass_rate", "convention=filter_difficulty", f"output_dir={tmp_path}/a")
    assert first.returncode == 0, first.stderr
    edges = f"bucketer.edges={tmp_path}/a/buckets.json"
    done = run("metric=pass_rate", edges, f"output_dir={tmp_path}/b")
    assert done.returncode == 1
    said = "measure.threshold=0.0 measure.strict=true measure.scale=100.0 measure.std_weight=0.3"
    assert said in done.stderr
    again = run("metric=pass_rate", edges, *said.split(), f"output_dir={tmp_path}/b")
    assert again.returncode == 0, again.stderr
    sides = [(tmp_path / side / "buckets.parquet").read_bytes() for side in ("a", "b")]
    assert sides[0] == sides[1]
