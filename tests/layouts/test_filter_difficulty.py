"""Metrics and summaries by strategy, against pandas, scikit-learn and numbers made by hand."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curriculum.run import pipeline
from curriculum.run.context import Context

ROOT = Path(__file__).parents[2]
STRATEGIES = ["percentile", "pass_rate", "mean_reward", "adaptive"]
NAMES = ["easy", "medium", "hard", "very_hard"]
# Of the example in the description of the script.
KEYS = [
    *("problem_id", "data_source", "mean_reward", "std_reward", "max_reward", "min_reward"),
    *("pass_rate", "mean_at_k", "difficulty_score", "difficulty_bucket", "raw_rewards"),
]
INTERVAL = {"pass_rate_mean", "pass_rate_low", "pass_rate_high"}


@pytest.fixture
def measured(composed_values, tmp_path):
    """Groups of rewards through the pipeline, in this process: the folder with the files."""

    def measured(groups, strategy="percentile", *overrides, name="out", **columns):
        path = tmp_path / f"{name}.parquet"
        rollout_rows(groups, **columns).to_parquet(path)
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        values = composed_values(
            "preset=filter_difficulty",
            "data=rollouts",
            f"data.path={path}",
            f"bucketer={strategy}",
            f"output_dir={folder}",
            f"store_dir={tmp_path}/store",
            *overrides,
        )
        choices = {"reward": "auto", "metric": "difficulty_score", "bucketer": strategy}
        context = Context.of(values, folder, choices)
        pipeline.run(values, context)
        context.ledger.write()
        return folder

    return measured


def rollout_rows(groups, **columns):
    """Problem i is called p{i} and has the rewards of groups[i]."""
    return pd.DataFrame(
        [
            {
                "problem_id": f"p{i}",
                "data_source": "test",
                "prompt": f"question {i}",
                "response": f"answer {j}",
                "sample_idx": j,
                "reward": reward,
                **columns,
            }
            for i, group in enumerate(groups)
            for j, reward in enumerate(group)
        ]
    )


def rows_of(folder, strategy="percentile"):
    return json.loads((folder / f"difficulty_metrics_{strategy}.json").read_text())


def table_of(folder, strategy="percentile"):
    return pd.read_parquet(folder / f"difficulty_metrics_{strategy}.parquet")


def summary_of(folder, strategy="percentile"):
    return json.loads((folder / f"summary_{strategy}.json").read_text())


def buckets_of(folder, strategy):
    return [row["difficulty_bucket"] for row in rows_of(folder, strategy)]


def graded(problems=60, samples=6, seed=3):
    """Rewards from -0.5 to 1, no two problems alike."""
    rng = np.random.default_rng(seed)
    center = np.linspace(-0.3, 0.95, problems)[:, None]
    return np.clip(center + rng.normal(0, 0.2, (problems, samples)), -0.5, 1).tolist()


@pytest.mark.slow
def test_a_row_as_in_the_example(measured):
    row = rows_of(measured([[1.0, 0.8, 0.9, 0.6, 1.0]]))[0]
    origin = {"data_idx", "file", "position"}  # of the original row
    assert [key for key in row if key not in INTERVAL | origin] == KEYS
    assert set(row) == {*KEYS, *INTERVAL, *origin}
    std = math.sqrt((0.14**2 + 0.06**2 + 0.04**2 + 0.26**2 + 0.14**2) / 5)
    assert row["problem_id"] == "p0"
    assert row["data_source"] == "test"
    assert row["mean_reward"] == pytest.approx(0.86)
    assert row["std_reward"] == pytest.approx(std)
    assert row["max_reward"] == 1.0
    assert row["min_reward"] == 0.6
    assert row["pass_rate"] == 100.0
    assert list(row["mean_at_k"]) == ["1", "3", "5"]
    assert row["mean_at_k"] == pytest.approx({"1": 1.0, "3": 2.9 / 3, "5": 0.86})
    assert row["difficulty_score"] == pytest.approx(0.14 + 0.3 * std)
    assert row["difficulty_bucket"] == "easy"
    assert row["raw_rewards"] == [1.0, 0.8, 0.9, 0.6, 1.0]


def test_a_mean_of_085_and_a_deviation_of_012_give_0186(measured):
    row = rows_of(measured([[0.97, 0.73]]))[0]
    assert (row["mean_reward"], row["std_reward"]) == pytest.approx((0.85, 0.12))
    assert row["difficulty_score"] == pytest.approx(0.186)


def test_the_interval_of_a_pass_rate_is_a_share(measured):
    from scipy.stats import beta

    row = rows_of(measured([[1.0, 1.0, 1.0, 0.0, 0.0]]))[0]
    posterior = beta(3.5, 2.5)  # Jeffreys' prior
    assert row["pass_rate"] == 60.0
    assert row["pass_rate_mean"] == pytest.approx(posterior.mean())
    assert row["pass_rate_low"] == pytest.approx(posterior.ppf(0.05))
    assert row["pass_rate_high"] == pytest.approx(posterior.ppf(0.95))


def test_mean_at_k_of_more_samples_than_there_are_is_left_out(measured):
    groups = [[1.0], [0.5] * 2, [0.25] * 3, [0.0] * 9, [1.0] * 10, [1.0] * 25]
    folder = measured(groups)
    expected = [["1"], ["1"], ["1", "3"], ["1", "3", "5"], ["1", "3", "5", "10"]]
    expected += [["1", "3", "5", "10", "20"]]
    assert [list(row["mean_at_k"]) for row in rows_of(folder)] == expected
    best = pd.DataFrame(table_of(folder)["mean_at_k"].tolist())
    assert list(best) == ["1", "3", "5", "10", "20"]
    assert best.notna().sum(axis=1).tolist() == [1, 1, 2, 3, 4, 5]
    assert best["3"].isna().tolist() == [True, True, False, False, False, False]


def test_mean_at_k_is_of_the_highest(measured):
    group = [0.1, -0.7, 0.9, 0.4, 0.3, 0.8]
    best = rows_of(measured([group]))[0]["mean_at_k"]
    assert best == pytest.approx({"1": 0.9, "3": 2.1 / 3, "5": 2.5 / 5})


def test_the_parquet_says_what_the_json_says(measured):
    folder = measured(graded(20, 4))
    table, rows = table_of(folder), rows_of(folder)
    assert list(table) == list(rows[0])
    for name in set(table) - {"mean_at_k", "raw_rewards"}:
        assert table[name].tolist() == [row[name] for row in rows]
    assert [each.tolist() for each in table["raw_rewards"]] == [row["raw_rewards"] for row in rows]
    for found, row in zip(table["mean_at_k"], rows, strict=True):
        assert {k: v for k, v in found.items() if not pd.isna(v)} == row["mean_at_k"]


def test_rewards_above_zero_pass(measured):
    groups = [[0.3, 0.3, 0, 0], [1e-9, 0], [0, 0], [-0.0, -1, -0.3, 0.1, 2.5], [-1, -2], [1]]
    rates = [row["pass_rate"] for row in rows_of(measured(groups))]
    assert rates == pytest.approx([50, 50, 0, 40, 0, 100])


def test_negative_rewards_count_as_they_are(measured):
    row = rows_of(measured([[-1.0, 1.0, -1.0]]))[0]
    std = math.sqrt(8 / 9)
    assert row["mean_reward"] == pytest.approx(-1 / 3)
    assert row["min_reward"] == -1.0
    assert row["difficulty_score"] == pytest.approx(4 / 3 + 0.3 * std)
    assert row["raw_rewards"] == [-1.0, 1.0, -1.0]


def test_pass_rates_at_the_edges_are_easier(measured):
    shares = [(10, 10), (4, 5), (79, 100), (5, 10), (49, 100), (1, 5), (19, 100), (0, 3)]
    groups = [[0.3] * c + [0.0] * (n - c) for c, n in shares]
    assert buckets_of(measured(groups, "pass_rate"), "pass_rate") == [
        *("easy", "easy", "medium", "medium", "hard", "hard", "very_hard", "very_hard")
    ]


def test_mean_rewards_at_the_edges_are_easier(measured):
    groups = [
        [0.7, 0.8],  # 0.75
        [0.2, 0.8, 1.25],  # 0.75, but for how it is summed
        [0.749999, 0.75],
        [0.1, 0.2, 1.2],  # 0.5, likewise
        [0.499, 0.5],
        [0.1, 0.2, 0.45],  # 0.25, likewise
        [0.249, 0.25],
        [-1.0, 0.5],
    ]
    assert buckets_of(measured(groups, "mean_reward"), "mean_reward") == [
        *("easy", "easy", "medium", "medium", "hard", "hard", "very_hard", "very_hard")
    ]


@pytest.mark.parametrize(("problems", "sizes"), [(60, [15] * 4), (10, [3, 3, 2, 2])])
def test_percentiles_are_quarters_by_difficulty_score(measured, problems, sizes):
    groups = graded(problems)
    folder = measured(groups)
    rewards = np.array(groups)
    order = ((1 - rewards.mean(axis=1)) + 0.3 * rewards.std(axis=1)).argsort()
    expected = np.empty(problems, object)
    expected[order] = np.repeat(NAMES, sizes)
    assert buckets_of(folder, "percentile") == expected.tolist()
    assert summary_of(folder)["bucket_distribution"] == dict(zip(NAMES, sizes, strict=True))


def independent_clusters(groups):
    """k-means on what the description names; 0 is the cluster that is easiest on average."""
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    rewards = [np.array(group) for group in groups]
    frame = pd.DataFrame(
        {
            "mean": [each.mean() for each in rewards],
            "std": [each.std() for each in rewards],
            "pass_rate": [(each > 0).mean() * 100 for each in rewards],
        }
    )
    frame["score"] = 1 - frame["mean"] + 0.3 * frame["std"]
    points = StandardScaler().fit_transform(frame)
    labels = KMeans(4, n_init=50, random_state=11).fit_predict(points)
    order = frame["score"].groupby(labels).mean().sort_values().index
    return np.array([order.get_loc(label) for label in labels])


def test_clusters_are_those_of_an_independent_k_means(measured):
    rng = np.random.default_rng(8)
    level = rng.integers(0, 4, 80)
    center = np.array([[0.9] * 6, [0.7, 0.7, 0.7, -0.2, -0.2, 0.7], [0.2] * 6, [-0.4] * 6])[level]
    groups = (center + rng.uniform(-0.05, 0.05, center.shape)).tolist()
    found = buckets_of(measured(groups, "adaptive"), "adaptive")
    assert [NAMES.index(name) for name in found] == independent_clusters(groups).tolist()


def test_clusters_of_whole_rewards_are_those_of_an_independent_k_means(measured):
    rng = np.random.default_rng(4)
    rates = np.clip(rng.uniform(-0.4, 1.4, 300), 0, 1)
    groups = [(rng.random(8) < rate).astype(float).tolist() for rate in rates]
    found = [NAMES.index(name) for name in buckets_of(measured(groups, "adaptive"), "adaptive")]
    assert np.mean(found == independent_clusters(groups)) > 0.99


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_summary_says_what_pandas_says(measured, strategy):
    groups = [group[: 3 + i % 4] for i, group in enumerate(graded())]
    folder = measured(groups, strategy)
    rewards = rollout_rows(groups).groupby("problem_id", sort=False)["reward"]
    frame = pd.DataFrame(
        {
            "mean_reward": rewards.mean(),
            "mean_pass_rate": rewards.apply(lambda each: 100 * (each > 0).mean()),
            "mean_difficulty_score": (1 - rewards.mean()) + 0.3 * rewards.std(ddof=0),
        }
    )
    bucket = table_of(folder, strategy).set_index("problem_id")["difficulty_bucket"]
    counts = bucket.value_counts()

    summary = summary_of(folder, strategy)
    assert summary["total_problems"] == 60
    assert summary["total_rollouts"] == sum(len(group) for group in groups)
    assert summary["bucketing_strategy"] == strategy
    assert list(summary["bucket_distribution"]) == NAMES
    assert summary["bucket_distribution"] == {name: counts[name] for name in NAMES}
    assert summary["overall_statistics"] == pytest.approx(frame.mean().to_dict())
    assert list(summary["bucket_statistics"]) == NAMES
    for name in NAMES:
        means = frame[bucket == name].mean().to_dict()
        assert summary["bucket_statistics"][name] == pytest.approx({"count": counts[name], **means})


def test_an_empty_bucket_has_a_count_and_no_means(measured):
    summary = summary_of(measured([[1.0], [0.0]], "pass_rate"), "pass_rate")
    assert summary["bucket_distribution"] == {"easy": 1, "medium": 0, "hard": 0, "very_hard": 1}
    assert summary["bucket_statistics"]["medium"] == {"count": 0}
    assert summary["bucket_statistics"]["very_hard"] == {
        "count": 1,
        "mean_reward": 0.0,
        "mean_pass_rate": 0.0,
        "mean_difficulty_score": 1.0,
    }


def test_a_rollout_without_a_reward_does_not_count(measured):
    folder = measured([[1.0, None, 0.5], [None, None], [0.0, 0.0]])
    assert [(row["problem_id"], row["raw_rewards"]) for row in rows_of(folder)] == [
        ("p0", [1.0, 0.5]),
        ("p2", [0.0, 0.0]),
    ]
    assert summary_of(folder)["total_problems"] == 2
    assert summary_of(folder)["total_rollouts"] == 4


def test_every_problem_keeps_its_source_and_name(measured):
    folder = measured([[1.0]], data_source="école/añb", problem_id="nº 1, “a”")
    row = rows_of(folder)[0]
    assert (row["problem_id"], row["data_source"]) == ("nº 1, “a”", "école/añb")
    assert "nº 1, “a”" in (folder / "difficulty_metrics_percentile.json").read_text("utf-8")


def test_the_prefix_stands_before_every_name(measured):
    folder = measured(graded(8), "percentile", "export.prefix=mine_")
    assert {path.name for path in folder.glob("mine_*")} == {
        "mine_difficulty_metrics_percentile.json",
        "mine_difficulty_metrics_percentile.parquet",
        "mine_summary_percentile.json",
    }
    assert not list(folder.glob("difficulty_*"))


@pytest.fixture
def training(tmp_path):
    """train.parquet as verl trains on it, rollouts.parquet as a generation script leaves it."""
    problems = [
        {
            "data_source": "openai/gsm8k",
            "prompt": [{"role": "user", "content": f"What is {i} + {i}?"}],
            "reward_model": {"style": "rule", "ground_truth": str(2 * i)},
            "extra_info": {"split": "train", "index": i},
        }
        for i in range(24)
    ]
    rollouts: list[dict[str, Any]] = [
        {
            "prompt": f"What is {i} + {i}?",
            "response": str(2 * i) if (i * 7 + j * 5) % 24 < i else "no idea",
            "data_idx": i,
            "sample_idx": j,
            "original_data_source": "openai/gsm8k",
            "original_reward_model": problem["reward_model"],
        }
        for i, problem in enumerate(problems)
        for j in range(5)
    ]
    pd.DataFrame(problems).to_parquet(tmp_path / "train.parquet")
    for row in rollouts:
        right = row["response"] == row["original_reward_model"]["ground_truth"]
        row["reward"] = 1.0 if right else -0.5
    pd.DataFrame(rollouts).to_parquet(tmp_path / "rollouts.parquet")
    return tmp_path, np.array([row["reward"] for row in rollouts]).reshape(24, 5)


def command(folder, line):
    """A command as it is written down, typed in a folder of the user's."""
    words = line.split()
    assert words[:2] == ["python", "run.py"]
    words = [sys.executable, str(ROOT / "run.py"), *words[2:]]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_both_commands_in_a_folder_of_the_user(training):
    folder, rewards = training
    done = command(
        folder,
        "python run.py preset=filter_difficulty data.path=train.parquet generator=replay "
        "generator.path=rollouts.parquet output_dir=OUT bucketer=adaptive",
    )
    assert done.returncode == 0, done.stderr
    assert "difficulty_metrics_adaptive.json" in done.stdout
    again = command(
        folder,
        "python run.py preset=filter_difficulty data=rollouts data.path=rollouts.parquet "
        "output_dir=again",
    )
    assert again.returncode == 0, again.stderr
    rows = rows_of(folder / "OUT", "adaptive")
    assert [row["raw_rewards"] for row in rows] == rewards.tolist()
    assert {row["data_source"] for row in rows} == {"openai/gsm8k"}
    # The same problems and numbers from the rollouts alone, in other buckets.
    for row, other in zip(rows, rows_of(folder / "again"), strict=True):
        own = {name: other[name] for name in ("difficulty_bucket", "file", "position")}
        assert other == row | own


@pytest.mark.slow
def test_strategies_share_a_folder(run, training):
    """The fourth, adaptive, is in the command above."""
    folder, rewards = training
    for strategy in STRATEGIES[:3]:
        done = run(
            "preset=filter_difficulty",
            f"data.path={folder}/train.parquet",
            f"generator.path={folder}/rollouts.parquet",
            f"bucketer={strategy}",
        )
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (folder / "out").glob("*_*.*")} == {
        name
        for strategy in STRATEGIES[:3]
        for name in (
            f"difficulty_metrics_{strategy}.json",
            f"difficulty_metrics_{strategy}.parquet",
            f"summary_{strategy}.json",
        )
    }
    for strategy in STRATEGIES[:3]:
        rows = rows_of(folder / "out", strategy)
        assert [row["raw_rewards"] for row in rows] == rewards.tolist()
        assert summary_of(folder / "out", strategy)["bucketing_strategy"] == strategy


@pytest.mark.slow
def test_the_curriculum_workflow(run, training):
    folder, rewards = training
    data = pd.read_parquet(folder / "train.parquet")
    data["problem_id"] = [f"gsm8k-{i}" for i in range(len(data))]
    data.to_parquet(folder / "train.parquet")
    done = run(
        "preset=filter_difficulty",
        f"data.path={folder}/train.parquet",
        f"generator.path={folder}/rollouts.parquet",
    )
    assert done.returncode == 0, done.stderr

    metrics = pd.read_parquet(folder / "out" / "difficulty_metrics_percentile.parquet")
    easy_ids = metrics[metrics["difficulty_bucket"] == "easy"]["problem_id"].tolist()
    hard_ids = metrics[metrics["difficulty_bucket"] == "hard"]["problem_id"].tolist()
    data = pd.read_parquet(folder / "train.parquet")
    easy, hard = (data[data["problem_id"].isin(ids)] for ids in (easy_ids, hard_ids))
    assert len(easy) == len(hard) == 6
    means = rewards.mean(axis=1)
    assert means[easy.index].min() >= means[hard.index].max()
    assert means[easy.index].mean() > means[hard.index].mean()


@pytest.mark.slow
def test_the_same_strategy_again_replaces_its_files_and_no_others(measured):
    measured(graded(12))
    folder = measured(graded(8))
    assert len(rows_of(folder)) == summary_of(folder)["total_problems"] == 8
    measured(graded(20), "pass_rate")
    measured(graded(16), "pass_rate", "export.prefix=mine_")
    assert len(rows_of(folder)) == 8
    assert len(rows_of(folder, "pass_rate")) == summary_of(folder, "pass_rate")["total_problems"]
    assert len(rows_of(folder, "pass_rate")) == 20
    assert len(json.loads((folder / "mine_difficulty_metrics_pass_rate.json").read_text())) == 16


def test_no_mean_at_k_is_asked_for(measured):
    folder = measured([[1.0, 0.0]], "pass_rate", "measure.mean_at_k=[]")
    rows = json.loads((folder / "difficulty_metrics_pass_rate.json").read_text())
    assert rows[0]["mean_at_k"] == {}
