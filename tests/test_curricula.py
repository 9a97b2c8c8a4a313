"""Sweeps over samplers and seeds: equal rollouts, honest intervals, and the control first."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from omegaconf import OmegaConf
from scipy.stats import ttest_1samp

from curriculum.compare import compare

LABEL = "simulated by a stated learning model on the measured pass rates; no model was trained"
QUICK = ("trainer.steps=20", "trainer.plot=false")
ROLLOUTS = 64 * 8  # a batch


def saved(sweep):
    return json.loads((sweep / "comparison.json").read_text())


def rows_of(sweep):
    return {row["arm"]: row for row in saved(sweep)["curricula"]["arms"]}


def gains_of(sweep, arm, rollouts):
    """What a sampler's runs gain by so many rollouts, from their own files."""
    gains = []
    for folder in sorted(sweep.glob("[0-9]*")):
        result = json.loads((folder / "result.json").read_text())
        if result["choices"]["sampler"] == arm:
            steps = pd.read_parquet(folder / "metrics.parquet").set_index("rollouts")
            gains.append(steps["mean_pass_rate"][rollouts] - steps["mean_pass_rate"][0])
    return gains


def check_sweep(done, sweep, samplers, seeds, steps):
    """The comparison says what the runs' own files say."""
    jobs = seeds * len(samplers)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("rewards: made") + done.stderr.count("rewards: reused") == jobs
    assert done.stderr.count("rewards: made") <= 1
    content = saved(sweep)
    assert [run["status"] for run in content["runs"]] == ["completed"] * jobs
    assert content["curricula"]["rollouts"] == steps * ROLLOUTS
    rows = rows_of(sweep)
    assert list(rows) == list(samplers)
    for name, row in rows.items():
        gains = gains_of(sweep, name, steps * ROLLOUTS)
        expected = ttest_1samp(gains, 0).confidence_interval(0.9)
        assert row["seeds"] == len(gains) == len(set(gains)) == seeds
        assert row["control"] == (name == "uniform")
        assert row["gain"] == pytest.approx(np.mean(gains), abs=1e-12)
        assert (row["gain_low"], row["gain_high"]) == pytest.approx(tuple(expected), abs=1e-9)
        own = [
            json.loads(path.read_text())["training"]["arms"].get(name)
            for path in sweep.glob("*/result.json")
            if json.loads(path.read_text())["choices"]["sampler"] == name
        ]
        for key in ("groups_with_gradient", "never_drawn", "most_draws"):
            assert row[key] == pytest.approx(np.mean([each[key] for each in own]))
        line = rf" {name}( \(control\))? +{row['gain']:.3f} +{expected[0]:.3f} {expected[1]:.3f} "
        assert re.search(line, done.stdout), line
    shown = done.stdout[done.stdout.index(f"Curricula at {steps * ROLLOUTS:,} rollouts") :]
    assert LABEL in shown
    places = [shown.index(f"\n {name}") for name in samplers]
    assert places == sorted(places)
    verdict = content["curricula"]["verdict"]
    assert " ".join(shown.split()).endswith(verdict)
    assert "Rand index" not in done.stdout  # all have the same buckets
    markdown = (sweep / "comparison.md").read_text()
    assert all(f"| {name} " in markdown for name in samplers)
    assert markdown.endswith(f"\n{verdict}\n")
    assert imread(sweep / "comparison.png").shape[1] > 900
    return rows


def test_a_sweep_compares_curricula(run, tmp_path):
    done = run("-m", "sampler=thompson,uniform", "seed=1,2", *QUICK)
    check_sweep(done, tmp_path / "out", ("uniform", "thompson"), 2, 20)

    again = [sys.executable, "-m", "curriculum.compare", str(tmp_path / "out")]
    shown = subprocess.run(again, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "Curricula at 10,240 rollouts" in shown.stdout
    assert shown.stdout.strip() in done.stdout


@pytest.mark.slow
def test_the_whole_sweep_tells_curricula_from_the_control(run, tmp_path):
    samplers = ("uniform", "reward_curriculum", "thompson", "learnability")
    done = run("-m", f"sampler={','.join(samplers)}", "seed=1,2,3")
    rows = check_sweep(done, tmp_path / "out", samplers, 3, 200)
    for name in ("thompson", "learnability"):
        assert rows[name]["gain_low"] > rows["uniform"]["gain_high"]
        assert rows[name]["rollouts_to_gain"] < rows["uniform"]["rollouts_to_gain"]
        assert rows[name]["groups_with_gradient"] > rows["uniform"]["groups_with_gradient"] + 0.1
    verdict = saved(tmp_path / "out")["curricula"]["verdict"]
    assert "More than the control: thompson and learnability" in verdict
    for folder in (tmp_path / "out").glob("[0-9]*"):
        assert (folder / "dry_run.png").exists()


def test_without_a_run_of_the_control_it_is_that_beside_the_runs(run, tmp_path):
    """Runs of 10 and of 20 steps, compared where the shorter ones end."""
    done = run("-m", "trainer.steps=10,20", "trainer.plot=false")
    assert done.returncode == 0, done.stderr
    sweep = tmp_path / "out"
    content = saved(sweep)["curricula"]
    assert content["rollouts"] == 10 * ROLLOUTS
    assert "Curricula at 5,120 rollouts" in done.stdout
    rows = rows_of(sweep)
    lengths = [f"trainer.steps={steps}" for steps in (10, 20)]
    assert list(rows) == [f"{arm} {each}" for arm in ("uniform", "thompson") for each in lengths]
    assert [row["control"] for row in rows.values()] == [True, True, False, False]
    for prefix, arm in (("control/", "uniform"), ("", "thompson")):
        rates = [
            pd.read_parquet(sweep / job / "metrics.parquet")[f"{prefix}mean_pass_rate"]
            for job in ("0", "1")
        ]
        gains = [rate[10] - rate[0] for rate in rates]
        assert gains[0] == gains[1]  # a longer run begins as the shorter one does
        for each, gain in zip(lengths, gains, strict=True):
            assert rows[f"{arm} {each}"]["gain"] == pytest.approx(gain, abs=1e-12)
    assert content["verdict"].startswith("No winner can be told from one seed")


def test_arms_are_named_by_their_knobs_and_a_missing_control_is_missed(run, tmp_path):
    knobs = ("sampler.discount=0.5,1.0", "trainer.control=false", *QUICK)
    done = run("-m", "sampler=thompson", *knobs)
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out")
    assert list(rows) == ["thompson sampler.discount=0.5", "thompson sampler.discount=1.0"]
    assert not any(row["control"] for row in rows.values())
    assert "There is no control: sweep over sampler=uniform too." in done.stdout
    assert "than the control" not in done.stdout
    assert rows["thompson sampler.discount=0.5"]["gain"] != pytest.approx(
        rows["thompson sampler.discount=1.0"]["gain"], abs=1e-6
    )


def test_a_failed_job_is_a_row_and_the_others_are_compared(run, tmp_path):
    done = run("-m", "sampler=thompson", "sampler.floor=0.05,2", *QUICK)
    assert done.returncode == 1
    assert re.search(r"sampler\.floor=2 +failed +UserError: sampler\.floor=2", done.stdout)
    content = saved(tmp_path / "out")
    assert [run["status"] for run in content["runs"]] == ["completed", "failed"]
    assert content["runs"][1]["error"].startswith("UserError: sampler.floor=2")
    assert list(rows_of(tmp_path / "out")) == ["uniform", "thompson"]
    assert "No winner can be told from one seed" in done.stdout
    markdown = (tmp_path / "out" / "comparison.md").read_text()
    assert "failed" in markdown


def test_a_sweep_over_bucketers_compares_buckets(run, tmp_path):
    done = run("-m", "bucketer=percentile,pass_rate", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "Agreement of buckets (adjusted Rand index)" in " ".join(done.stdout.split())
    assert "easy 252, medium 252, hard 252, very_hard 252" in done.stdout
    assert "Curricula at" not in done.stdout
    assert saved(tmp_path / "out")["curricula"] is None
    assert not (tmp_path / "out" / "comparison.png").exists()


class Sweep:
    """A folder of runs as a sweep leaves it, with curves that are worked out by hand."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, sampler, seed, rates, control=None, knobs=(), to_gain=None):
        """A run whose mean pass rate takes these values, a batch of 100 rollouts after another."""
        folder = self.folder / str(len(list(self.folder.glob("[0-9]*"))))
        (folder / ".hydra").mkdir(parents=True)
        overrides = [f"sampler={sampler}", f"seed={seed}", *knobs]
        OmegaConf.save(OmegaConf.create(overrides), folder / ".hydra" / "overrides.yaml")
        steps = {"rollouts": 100.0 * np.arange(len(rates)), "mean_pass_rate": rates}
        arms = {sampler: rates}
        if control is not None:
            steps |= {"control/rollouts": steps["rollouts"], "control/mean_pass_rate": control}
            arms["uniform"] = control
        pd.DataFrame(steps).to_parquet(folder / "metrics.parquet")
        numbers = {"groups_with_gradient": 0.5, "never_drawn": 0, "most_draws": 1}
        training = {
            "trainer": "dry_run",
            "simulation": LABEL,
            "gain_wanted": 0.1,
            "arms": {name: numbers | {"rollouts_to_gain": to_gain} for name in arms},
        }
        result = {
            "status": "completed",
            "error": None,
            "choices": {"sampler": sampler},
            "config": {"seed": seed},
            "training": training,
        }
        (folder / "result.json").write_text(json.dumps(result))

    def compared(self):
        assert compare(self.folder) == []
        return saved(self.folder)["curricula"]


@pytest.fixture
def sweep(tmp_path):
    return Sweep(tmp_path / "sweep")


def test_intervals_that_are_apart_have_a_winner(sweep, capsys):
    for seed, noise in ((1, 0.0), (2, 0.01), (3, 0.02)):
        sweep.add("thompson", seed, [0.5, 0.6, 0.8 + noise])
        sweep.add("uniform", seed, [0.5, 0.55, 0.6 + noise])
        sweep.add("bandit", seed, [0.5, 0.5, 0.5 + noise])
    found = sweep.compared()
    # Gains of 0.30, 0.31 and 0.32: t of 2 degrees at 95 % is 2.919986, deviation 0.01.
    half = 2.919986 * 0.01 / 3**0.5
    wanted = {"uniform": 0.11, "thompson": 0.31, "bandit": 0.01}
    assert [row["arm"] for row in found["arms"]] == list(wanted)
    for row in found["arms"]:
        assert row["gain"] == pytest.approx(wanted[row["arm"]])
        assert row["gain_high"] - row["gain"] == pytest.approx(half, abs=1e-6)
        assert row["gain"] - row["gain_low"] == pytest.approx(half, abs=1e-6)
    assert found["verdict"] == (
        "thompson gains most: its interval overlaps no other. More than the control: thompson. "
        "Less than the control: bandit."
    )
    assert found["verdict"] in " ".join(capsys.readouterr().out.split())


def test_intervals_that_overlap_have_none(sweep):
    for seed, noise in ((1, 0.0), (2, 0.04), (3, 0.08)):
        sweep.add("thompson", seed, [0.5, 0.7 + noise])
        sweep.add("bandit", seed, [0.5, 0.72 + noise])
        sweep.add("uniform", seed, [0.5, 0.71 + noise])
    assert sweep.compared()["verdict"] == (
        "No winner: the interval of bandit overlaps that of uniform and thompson. None differs "
        "from the control."
    )


def test_a_control_that_gains_most_is_the_winner(sweep):
    for seed, noise in ((1, 0.0), (2, 0.01)):
        sweep.add("uniform", seed, [0.5, 0.9 + noise])
        sweep.add("bandit", seed, [0.5, 0.6 + noise])
    verdict = sweep.compared()["verdict"]
    assert verdict.startswith("uniform gains most: its interval overlaps no other.")
    assert verdict.endswith("Less than the control: bandit.")


def test_one_seed_tells_no_winner(sweep, capsys):
    sweep.add("uniform", 1, [0.5, 0.6])
    sweep.add("thompson", 1, [0.5, 0.9])
    found = sweep.compared()
    assert found["verdict"].startswith("No winner can be told from one seed")
    assert {row["gain_low"] for row in found["arms"]} == {None}
    assert [row["gain"] for row in found["arms"]] == pytest.approx([0.1, 0.4])
    assert "nan" not in capsys.readouterr().out


def test_a_seed_that_is_missing_from_one_arm_tells_no_winner(sweep):
    sweep.add("uniform", 1, [0.5, 0.6])
    sweep.add("uniform", 2, [0.5, 0.61])
    sweep.add("thompson", 1, [0.5, 0.9])
    assert "No winner can be told from one seed" in sweep.compared()["verdict"]


def test_one_arm_has_nothing_to_be_compared_to(sweep):
    for seed in (1, 2):
        sweep.add("thompson", seed, [0.5, 0.6 + 0.01 * seed])
    assert sweep.compared()["verdict"] == "There is one arm: nothing to compare it to."


def test_runs_of_any_length_are_compared_where_the_shortest_ends(sweep):
    """200 rollouts: between two steps of none, the last step of the control."""
    for seed, more in ((1, 0.0), (2, 0.02)):
        sweep.add("thompson", seed, [0.5, 0.6 + more, 0.7 + more, 0.9, 0.99])
        sweep.add("uniform", seed, [0.5, 0.5, 0.6 + more])
    found = sweep.compared()
    assert found["rollouts"] == 200
    assert [row["gain"] for row in found["arms"]] == pytest.approx([0.11, 0.21])


def test_the_controls_of_several_samplers_are_one(sweep):
    for seed, more in ((1, 0.0), (2, 0.02)):
        control = [0.5, 0.6 + more]
        sweep.add("thompson", seed, [0.5, 0.8 + more], control=control)
        sweep.add("bandit", seed, [0.5, 0.7 + more], control=control)
    found = sweep.compared()
    assert [(row["arm"], row["seeds"]) for row in found["arms"]] == [
        ("uniform", 2),
        ("thompson", 2),
        ("bandit", 2),
    ]
    assert found["arms"][0]["gain"] == pytest.approx(0.11)


def test_controls_that_differ_are_not_taken_for_one(sweep):
    """Rails, like quotas, hold for the control too."""
    for quotas, gain in (("{a: 1, b: 9}", 0.1), ("{a: 9, b: 1}", 0.2)):
        for seed in (1, 2):
            rates, control = [0.5, 0.9], [0.5, 0.5 + gain + 0.01 * seed]
            sweep.add("thompson", seed, rates, control, [f"sampler.quotas={quotas}"])
    found = sweep.compared()
    gains = [row["gain"] for row in found["arms"] if row["control"]]
    assert gains == pytest.approx([0.115, 0.215])


def test_rollouts_to_a_gain_are_a_mean_where_all_seeds_got_there(sweep, capsys):
    for seed, reached in ((1, 300), (2, 500)):
        sweep.add("uniform", seed, [0.5, 0.6 + 0.01 * seed], to_gain=reached)
        sweep.add("bandit", seed, [0.5, 0.6 + 0.01 * seed], to_gain=300 if seed == 1 else None)
    found = sweep.compared()
    assert [row["rollouts_to_gain"] for row in found["arms"]] == [400, None]
    shown = capsys.readouterr().out
    assert re.search(r"uniform \(control\) .* 400 ", shown)
    assert re.search(r"bandit .* not by all ", shown)
