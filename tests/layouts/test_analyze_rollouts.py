"""Five kinds of files about flat rollouts: each rollout once, with all it had and its reward."""

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from curriculum import data
from curriculum.bucketers import Percentile
from curriculum.config.conf import conf_dir
from curriculum.layouts import AnalyzeRollouts, Export
from curriculum.testing import make_measured

LAYOUT = AnalyzeRollouts()
EXPORT = Export(**OmegaConf.load(conf_dir() / "config.yaml").export)
EXPECTED_KEYS = {
    *("problem_id", "mean@1", "mean@3", "pass_rate", "mean_reward", "max_reward", "min_reward"),
    *("std_reward", "num_samples", "pass_rate_mean", "pass_rate_low", "pass_rate_high"),
}


def flat_rows(problems=4, samples=3, **extra):
    """Problem i is solved in i of its samples."""
    return [
        {
            "prompt": f"question {i}",
            "response": f"answer {j} to {i}",
            "data_idx": 100 + i,
            "sample_idx": j,
            "original_answer": str(i),
            "original_info": {"level": i, "tags": ["sum"] * j},
            "reward": float(j < i),
            **extra,
        }
        for i in range(problems)
        for j in range(samples)
    ]


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def outcome_of(path, place=None):
    source = data.Rollouts(str(path), "problem_id", "prompt", "reward_model")
    bucketer = Percentile(4, ["easy", "medium-easy", "medium-hard", "hard"])
    return make_measured(source, bucketer, place=None if place is None else np.array(place))


def write(path, folder, place=None):
    """Write the files; {name without suffix: table or JSON}."""
    folder.mkdir()
    written = LAYOUT.write(outcome_of(path, place), folder, EXPORT)
    assert sorted(each.path for each in written) == sorted(folder.iterdir())
    return {
        each.path.stem: pq.read_table(each.path)
        if each.path.suffix == ".parquet"
        else json.loads(each.path.read_text())
        for each in written
    }


@pytest.fixture
def files(tmp_path):
    return write(write_parquet(tmp_path / "in.parquet", flat_rows()), tmp_path / "out")


def test_the_five_kinds_of_files(files):
    assert set(files) == {
        "rollouts_with_rewards",
        "problem_metrics",
        "problem_buckets",
        "rollouts_easy",
        "rollouts_medium-easy",
        "rollouts_medium-hard",
        "rollouts_hard",
        "summary",
    }


def test_rollouts_keep_their_columns_and_order(files):
    assert files["rollouts_with_rewards"].to_pylist() == flat_rows()


def test_rollouts_of_several_files_keep_their_columns_and_order(tmp_path):
    rows = flat_rows()
    (tmp_path / "in").mkdir()
    for i, part in enumerate((rows[:5], rows[5:7], rows[7:])):
        write_parquet(tmp_path / "in" / f"{i}.parquet", part)
    files = write(tmp_path / "in", tmp_path / "out")
    assert files["rollouts_with_rewards"].to_pylist() == rows
    assert files["rollouts_hard"].to_pylist() == rows[:3]
    assert files["rollouts_easy"].to_pylist() == rows[9:]


@pytest.mark.parametrize("write_rows", [write_parquet, write_jsonl])
def test_new_rewards_stand_in_the_place_of_recorded_ones(tmp_path, write_rows):
    suffix = "parquet" if write_rows is write_parquet else "jsonl"
    outcome = outcome_of(write_rows(tmp_path / f"in.{suffix}", flat_rows()))
    new = pa.array([i / 10 for i in range(11)] + [None])
    outcome = replace(outcome, rewards=outcome.rewards.set_column(0, "reward", new))
    LAYOUT.write(outcome, tmp_path, EXPORT)
    written = pq.read_table(tmp_path / "rollouts_with_rewards.parquet")
    assert written.to_pylist() == [
        row | {"reward": reward} for row, reward in zip(flat_rows(), new.to_pylist(), strict=True)
    ]


def test_every_rollout_is_in_the_file_of_its_problem_s_bucket(files):
    buckets = files["problem_buckets"]
    assert buckets == {
        "100": "hard",
        "101": "medium-hard",
        "102": "medium-easy",
        "103": "easy",
    }
    for name in set(buckets.values()):
        inside = [row for row in flat_rows() if buckets[str(row["data_idx"])] == name]
        assert files[f"rollouts_{name}"].to_pylist() == inside
        assert files[f"rollouts_{name}"].schema == files["rollouts_with_rewards"].schema


def test_metrics_by_data_idx_without_those_that_need_more_samples(files):
    metrics = files["problem_metrics"]
    assert list(metrics) == ["100", "101", "102", "103"]
    assert all(set(one) == EXPECTED_KEYS for one in metrics.values())
    one = metrics["101"]
    assert one["num_samples"] == 3
    assert one["mean@1"] == one["max_reward"] == 1.0
    assert one["min_reward"] == 0.0
    assert one["mean@3"] == pytest.approx(1 / 3)
    assert one["pass_rate"] == one["mean_reward"] == pytest.approx(1 / 3)
    assert one["std_reward"] == pytest.approx(math.sqrt(2) / 3)
    assert one["pass_rate_low"] < one["pass_rate_mean"] < one["pass_rate_high"]


def test_the_summary_counts_from_hard_to_easy(files):
    summary = files["summary"]
    assert summary["total_problems"] == 4
    assert summary["total_rollouts"] == 12
    assert summary["bucketing_strategy"] == "percentile"
    distribution = summary["bucket_distribution"]
    assert list(distribution) == ["hard", "medium-hard", "medium-easy", "easy"]
    assert list(distribution.values()) == [1, 1, 1, 1]
    assert summary["overall_metrics"] == {"mean_pass_rate": 0.5, "mean_reward": 0.5}
    assert summary["left_out_metrics"] == {"mean@5": {"problems": 4, "of": 4, "smallest_n": 3}}


def test_mean_at_5_is_in_the_summary_where_every_problem_has_it(tmp_path):
    path = write_parquet(tmp_path / "in.parquet", flat_rows(samples=5))
    summary = write(path, tmp_path / "out")["summary"]
    assert summary["overall_metrics"]["mean@5"] == pytest.approx((0 + 1 + 2 + 3) / 5 / 4)
    assert "left_out_metrics" not in summary


@pytest.mark.parametrize("write_rows", [write_parquet, write_jsonl])
def test_a_failed_reward_is_null_and_its_rollout_stays(tmp_path, write_rows):
    rows = flat_rows()
    rows[4] |= {"reward": None}
    suffix = "parquet" if write_rows is write_parquet else "jsonl"
    files = write(write_rows(tmp_path / f"in.{suffix}", rows), tmp_path / "out")
    assert files["rollouts_with_rewards"].to_pylist() == rows
    assert files["problem_metrics"]["101"]["num_samples"] == 2
    assert files["summary"]["total_rollouts"] == 11


def test_a_problem_without_rewards_is_in_no_bucket_but_in_the_rollouts(tmp_path):
    rows = [row | {"reward": None} if row["data_idx"] == 102 else row for row in flat_rows()]
    files = write(write_parquet(tmp_path / "in.parquet", rows), tmp_path / "out")
    assert files["rollouts_with_rewards"].to_pylist() == rows
    assert set(files["problem_buckets"]) == set(files["problem_metrics"]) == {"100", "101", "103"}
    inside = [table for name, table in files.items() if name.startswith("rollouts_")]
    assert 102 not in pa.concat_tables(inside[1:])["data_idx"].to_pylist()


def test_rollouts_of_no_problem_are_in_no_bucket(tmp_path):
    path = write_parquet(tmp_path / "in.parquet", flat_rows())
    files = write(path, tmp_path / "out", place=[0, 1, -1, 3])
    assert files["rollouts_with_rewards"]["response"].to_pylist() == [
        row["response"] for row in flat_rows()
    ]
    inside = pa.concat_tables(
        table
        for name, table in files.items()
        if name.startswith("rollouts_") and name != "rollouts_with_rewards"
    )
    assert sorted(set(inside["data_idx"].to_pylist())) == [100, 101, 103]
    assert files["summary"]["total_rollouts"] == 9


def test_rows_without_numbers_get_data_idx_sample_idx_and_reward(tmp_path):
    lines = [
        {
            "prompt": f"question {i}",
            "response": ["yes", "no"],
            "reward": [{"score": 1.0}, {"score": i / 4}],
            "ground_truth": "yes",
        }
        for i in range(4)
    ]
    files = write(write_jsonl(tmp_path / "in.jsonl", lines), tmp_path / "out")
    found = files["rollouts_with_rewards"].to_pylist()
    assert found == [
        {
            "prompt": f"question {i}",
            "original_ground_truth": "yes",
            "response": ["yes", "no"][j],
            "data_idx": i,
            "sample_idx": j,
            "reward": [1.0, i / 4][j],
        }
        for i in range(4)
        for j in range(2)
    ]


def test_problems_that_share_a_data_idx_are_told_apart_by_their_id(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        rows = flat_rows(problems=2, original_data_source=name)
        write_parquet(tmp_path / "in" / f"{name}.parquet", rows)
    files = write(tmp_path / "in", tmp_path / "out")
    metrics = files["problem_metrics"]
    assert len(metrics) == 4
    assert all(key == one["problem_id"] for key, one in metrics.items())
    assert set(files["problem_buckets"]) == set(metrics)


def test_rollouts_can_be_joined_to_metrics_and_buckets(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        rows = flat_rows(problems=2, original_data_source=name)
        write_parquet(tmp_path / "in" / f"{name}.parquet", rows)
    files = write(tmp_path / "in", tmp_path / "out")
    rollouts = files["rollouts_with_rewards"]
    key = "problem_id" if "problem_id" in rollouts.column_names else "data_idx"
    assert {str(each) for each in rollouts[key].to_pylist()} == set(files["problem_buckets"])


def test_the_prefix_stands_before_the_name_of_each_bucket_s_file(tmp_path):
    path = write_parquet(tmp_path / "in.parquet", flat_rows())
    (tmp_path / "out").mkdir()
    LAYOUT.write(outcome_of(path), tmp_path / "out", replace(EXPORT, prefix="mine_"))
    names = {each.name for each in (tmp_path / "out").glob("*rollouts_*")}
    assert names == {"rollouts_with_rewards.parquet"} | {
        f"mine_rollouts_{each}.parquet" for each in ("easy", "medium-easy", "medium-hard", "hard")
    }


def test_what_is_printed(tmp_path, capsys):
    path = write_parquet(tmp_path / "in.parquet", flat_rows(samples=5))
    LAYOUT.show(outcome_of(path), [])
    assert capsys.readouterr().out.splitlines() == [
        "=" * 60,
        "ANALYSIS SUMMARY",
        "=" * 60,
        "Total problems: 4",
        "Total rollouts: 20",
        "Bucketing strategy: percentile",
        "",
        "Bucket distribution:",
        "  hard: 1 problems",
        "  medium-hard: 1 problems",
        "  medium-easy: 1 problems",
        "  easy: 1 problems",
        "",
        "Overall metrics:",
        "  Mean pass rate: 0.300",
        "  Mean reward: 0.300",
        "  Mean@5: 0.300",
        "=" * 60,
    ]
