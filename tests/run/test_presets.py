"""The presets, against what the tools they stand for print and write."""

import json

import numpy as np
import pandas as pd
import pytest

RULE = "=" * 60


@pytest.fixture
def rollout_lines(tmp_path):
    """10,000 lines in five files, with mean rewards of 0, 0.25, ... 1.25, most of them tied."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "rollouts"
    folder.mkdir()
    for part in range(5):
        with (folder / f"part{part}.jsonl").open("w") as out:
            for i in range(2000):
                scores = rng.choice([0, 1.25], size=5, p=rng.dirichlet([1, 1])).tolist()
                line = {
                    "num": part * 2000 + i,
                    "prompt": [{"role": "user", "content": f"Zähle bis {part * 2000 + i}"}],
                    "response": {"choices": [{"message": {"content": "eins"}} for _ in scores]},
                    "reward": [{"score": score, "V_i": 0.0} for score in scores],
                    "ground_truth": "",
                }
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return folder


def lines_of(*paths):
    return sorted(line for path in paths for line in path.read_bytes().splitlines(keepends=True))


def test_bucket_rollouts_prints_and_writes_what_the_script_did(run, tmp_path, rollout_lines):
    out = tmp_path / "out"
    done = run(
        "preset=bucket_rollouts",
        f"data.path={rollout_lines}",
        "metric=mean_reward",
        "bucketer.n=3",
        "bucketer.names=[a,b,c]",
        "export.prefix=x_",
    )
    assert done.returncode == 0, done.stderr
    means = [
        np.mean([each["score"] for each in json.loads(line)["reward"]])
        for line in lines_of(*rollout_lines.iterdir())
    ]
    low, high = np.percentile(means, [100 / 3, 200 / 3])
    assert done.stdout == "\n".join(
        [
            RULE,
            "Bucketing by mean_reward using 3 percentile buckets",
            RULE,
            "",
            f"Found 5 JSONL files in {rollout_lines}",
            "Loaded 10000 rollouts",
            "",
            "Difficulty percentiles (mean_reward):",
            "  0%: 0.0000",
            f"  33%: {low:.4f}",
            f"  67%: {high:.4f}",
            "  100%: 1.2500",
            "",
            "Bucket statistics:",
            "  a: 3334 rollouts",
            "  b: 3333 rollouts",
            "  c: 3333 rollouts",
            "",
            f"Saved 3334 rollouts to {out}/x_a.jsonl",
            f"Saved 3333 rollouts to {out}/x_b.jsonl",
            f"Saved 3333 rollouts to {out}/x_c.jsonl",
            "",
            RULE,
            f"Bucketing complete! Output saved to {out}",
            RULE,
            "",
        ]
    )
    assert lines_of(*out.glob("x_*.jsonl")) == lines_of(*rollout_lines.iterdir())
    worst = [
        max(np.mean([e["score"] for e in json.loads(line)["reward"]]) for line in lines_of(path))
        for path in (out / "x_b.jsonl", out / "x_c.jsonl")
    ]
    assert worst == sorted(worst, reverse=True)


@pytest.mark.slow
def test_bucket_rollouts_by_threshold(run, tmp_path, rollout_lines):
    done = run(
        "preset=bucket_rollouts",
        f"data.path={rollout_lines}",
        "bucketer=threshold",
        "bucketer.thresholds=[0.3,0.7]",
        "bucketer.names=[low,medium,high]",
    )
    assert done.returncode == 0, done.stderr
    for name, inside in {
        "low": lambda mean: mean <= 0.3,
        "medium": lambda mean: 0.3 < mean <= 0.7,
        "high": lambda mean: mean > 0.7,
    }.items():
        rows = [json.loads(line) for line in lines_of(tmp_path / "out" / f"{name}.jsonl")]
        assert rows
        assert all(inside(np.mean([e["score"] for e in row["reward"]])) for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "score"),
    [
        ("mean_reward", np.mean),
        ("max_reward", np.max),
        ("min_reward", np.min),
        ("variance", lambda x: -np.var(x)),
        ("pass_at_k", lambda x: np.mean(x >= 0.5)),
        ("success_rate", lambda x: np.mean(x > 0.5)),
        ("inverse_mean", np.mean),
    ],
)
def test_the_seven_metrics_sort_easy_from_hard(run, tmp_path, rollout_lines, metric, score):
    only = f"data.path={rollout_lines}/part0.jsonl"
    done = run("preset=bucket_rollouts", only, f"metric={metric}")
    assert done.returncode == 0, done.stderr
    scores = {
        name: [
            score(np.array([each["score"] for each in json.loads(line)["reward"]]))
            for line in lines_of(tmp_path / "out" / f"{name}.jsonl")
        ]
        for name in ("easy", "medium", "hard")
    }
    assert [len(each) for each in scores.values()] == [667, 667, 666]
    assert min(scores["easy"]) >= max(scores["medium"]) - 1e-12
    assert min(scores["medium"]) >= max(scores["hard"]) - 1e-12


@pytest.fixture
def flat_rollouts(tmp_path):
    """1,000 problems x 10 samples as a generation script leaves them, with rewards."""
    rng = np.random.default_rng(0)
    rates = rng.random(1000).round(1)
    rows = [
        {
            "prompt": f"question {i}",
            "response": f"answer {j}",
            "data_idx": i,
            "sample_idx": j,
            "original_question": f"question {i}",
            "original_answer": "answer 0",
            "reward": float(rng.random() < rates[i]),
        }
        for i in range(1000)
        for j in range(10)
    ]
    path = tmp_path / "rollouts.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


BUCKETS = {
    "percentile": ["hard", "medium-hard", "medium-easy", "easy"],
    "pass_rate": ["very_hard", "hard", "medium", "easy", "very_easy"],
    "mean_reward": ["very_hard", "hard", "medium", "easy"],
    "adaptive": ["hard", "medium-hard", "medium-easy", "easy"],
}


@pytest.mark.parametrize(
    "strategy", ["adaptive", *(pytest.param(s, marks=pytest.mark.slow) for s in list(BUCKETS)[:-1])]
)
def test_analyze_rollouts_writes_five_kinds_of_files(run, tmp_path, flat_rollouts, strategy):
    out = tmp_path / "out"
    path = f"data.path={flat_rollouts}"
    done = run("preset=analyze_rollouts", path, f"bucketer={strategy}")
    assert done.returncode == 0, done.stderr

    frame = pd.read_parquet(flat_rollouts)
    assert pd.read_parquet(out / "rollouts_with_rewards.parquet").equals(frame)
    metrics = json.loads((out / "problem_metrics.json").read_text())
    group = np.sort(frame[frame["data_idx"] == 17]["reward"])[::-1]
    assert metrics["17"]["mean@3"] == group[:3].mean()
    assert metrics["17"]["pass_rate"] == group.mean()
    assert metrics["17"]["num_samples"] == 10
    assert "mean@20" not in metrics["17"]

    buckets = json.loads((out / "problem_buckets.json").read_text())
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary["bucket_distribution"]) == BUCKETS[strategy]
    assert pd.Series(buckets).value_counts().to_dict() == summary["bucket_distribution"]
    for name in BUCKETS[strategy]:
        part = pd.read_parquet(out / f"rollouts_{name}.parquet")
        assert set(part["data_idx"]) == {int(i) for i, b in buckets.items() if b == name}

    means = frame.groupby("data_idx")["reward"]
    best = means.apply(lambda rewards: rewards.nlargest(5).mean()).mean()
    assert done.stdout == "\n".join(
        [
            RULE,
            "ANALYSIS SUMMARY",
            RULE,
            "Total problems: 1000",
            "Total rollouts: 10000",
            f"Bucketing strategy: {strategy}",
            "",
            "Bucket distribution:",
            *(f"  {name}: {n} problems" for name, n in summary["bucket_distribution"].items()),
            "",
            "Overall metrics:",
            f"  Mean pass rate: {frame['reward'].mean():.3f}",
            f"  Mean reward: {frame['reward'].mean():.3f}",
            f"  Mean@5: {best:.3f}",
            RULE,
            "",
        ]
    )


@pytest.mark.slow
def test_pass_rate_zero_is_very_hard_and_a_quarter_is_hard(run, tmp_path):
    rows = [
        {"prompt": f"q{i}", "response": "", "data_idx": i, "sample_idx": j, "reward": float(j < i)}
        for i in range(9)
        for j in range(8)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    path = f"data.path={tmp_path}/rollouts.parquet"
    assert run("preset=analyze_rollouts", path, "bucketer=pass_rate").returncode == 0
    buckets = json.loads((tmp_path / "out" / "problem_buckets.json").read_text())
    assert list(buckets.values()) == [
        "very_hard",
        *["hard"] * 2,
        *["medium"] * 2,
        *["easy"] * 2,
        *["very_easy"] * 2,
    ]


@pytest.mark.slow
def test_rollouts_without_rewards_name_the_choices(run, tmp_path, flat_rollouts):
    frame = pd.read_parquet(flat_rollouts).drop(columns="reward")
    frame.to_parquet(flat_rollouts)
    path = f"data.path={flat_rollouts}"
    done = run("preset=analyze_rollouts", path, "bucketer=pass_rate")
    assert done.returncode == 1
    for words in ("reward=function", "reward=math_verify", "'.[math]'", "'.[verl]'"):
        assert words in done.stderr

    done = run("preset=analyze_rollouts", path, "reward=exact_match")
    assert done.returncode == 0, done.stderr
    scored = pd.read_parquet(tmp_path / "out" / "rollouts_with_rewards.parquet")
    assert (scored["reward"] == (frame["response"] == "answer 0")).all()
