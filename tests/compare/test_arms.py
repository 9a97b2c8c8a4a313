"""Sweeps over samplers and seeds: equal rollouts, honest intervals, and the control first."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from scipy.stats import ttest_1samp

from curriculum.compare.sweep import compare

LABEL = "simulated by a stated learning model on the measured pass rates; no model was trained"
QUICK = ("trainer.steps=20", "trainer.plot=false")
ROLLOUTS = 64 * 8  # a batch


def saved(sweep):
    return json.loads((sweep / "comparison.json").read_text())


def width_of(png):
    """Pixels, as its header says."""
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    return int.from_bytes(content[16:20])


def the_setting(sweep):
    """The comparison of a sweep whose runs differ in sampler and seed alone."""
    [found] = saved(sweep)["curricula"]
    assert found["setting"] == ""
    return found


def rows_of(found):
    return {row["arm"]: row for row in found["arms"]}


def check_sweep(done, sweep, samplers, seeds, steps):
    """The comparison of dry runs says what the runs' own files say, and no more."""
    jobs = seeds * len(samplers)
    assert done.returncode == 0, done.stderr
    content = saved(sweep)
    assert [run["status"] for run in content["runs"]] == ["completed"] * jobs
    found = the_setting(sweep)
    assert found["rollouts"] == steps * ROLLOUTS
    rows = rows_of(found)
    assert list(rows) == list(samplers)
    for name, row in rows.items():
        assert row["seeds"] == seeds
        assert row["control"] == (name == "uniform")
        own = [
            json.loads(path.read_text())["training"]["arms"].get(name)
            for path in sweep.glob("*/result.json")
            if json.loads(path.read_text())["choices"]["sampler"] == name
        ]
        for key in ("groups_with_gradient", "never_drawn", "most_draws"):
            assert row[key] == pytest.approx(np.mean([each[key] for each in own]))
        shares = f"{row['groups_with_gradient']:.0%} +{row['never_drawn']:,.0f} "
        assert re.search(rf" {name}( \(control\))? +{shares}", done.stdout)
    shown = done.stdout[done.stdout.index(f"Curricula at {steps * ROLLOUTS:,} rollouts") :]
    assert LABEL in shown
    assert "gain" not in shown[: shown.index("Simulated: ")]
    places = [shown.index(f"\n {name}") for name in samplers]
    assert places == sorted(places)
    verdict = found["verdict"]
    assert verdict.startswith("Simulated: it tells what batches are made of")
    assert f" {verdict} " in " ".join(shown.split())
    assert re.search(r"/comparison.png\n .*/report.html\n$", shown)
    assert content["adjusted_rand_index"] == []  # all have the same buckets
    assert "Rand index" not in done.stdout
    markdown = (sweep / "comparison.md").read_text()
    assert all(f"| {name} " in markdown for name in samplers)
    assert markdown.endswith(f"\n{verdict}\n")
    assert width_of(sweep / "comparison.png") > 900
    return rows


@pytest.mark.slow
def test_a_sweep_compares_curricula(run, tmp_path, capsys):
    done = run("-m", "sampler=thompson,uniform", "seed=1,2", *QUICK)
    check_sweep(done, tmp_path / "out", ("uniform", "thompson"), 2, 20)

    assert compare(tmp_path / "out") == []  # at any time again
    shown = capsys.readouterr().out
    assert "Curricula at 10,240 rollouts" in shown
    assert shown.strip() in done.stdout


@pytest.mark.slow
def test_the_whole_sweep_shows_what_curricula_draw(run, tmp_path):
    samplers = ("uniform", "reward_curriculum", "thompson", "learnability")
    done = run("-m", f"sampler={','.join(samplers)}", "seed=1,2,3")
    rows = check_sweep(done, tmp_path / "out", samplers, 3, 200)
    for name in ("thompson", "learnability"):
        assert rows[name]["groups_with_gradient"] > rows["uniform"]["groups_with_gradient"] + 0.1
    for folder in (tmp_path / "out").glob("[0-9]*"):
        assert (folder / "dry_run.png").exists()


@pytest.mark.slow
def test_controls_within_rails_that_make_a_difference_are_several(run, tmp_path):
    """The floor makes none to a control, which comes to all prompts by itself; quotas do."""
    names = ("chain_sum", "gcd", "products", "spell_backward")
    quotas = f"{{{', '.join(f'reasoning_gym/{name}: {i}' for i, name in enumerate(names))}}}"
    both = ("sampler.floor=0.05,0.5", f"sampler.quotas=null,{quotas}")
    for knob, controls in zip(both, (1, 2), strict=True):
        folder = tmp_path / str(controls)
        done = run("-m", "sampler=thompson", knob, "seed=1,2", *QUICK, f"output_dir={folder}")
        assert done.returncode == 0, done.stderr
        arms = the_setting(folder)["arms"]
        assert [arm["control"] for arm in arms] == [True] * controls + [False] * 2
        assert all(arm["seeds"] == 2 for arm in arms)
    # Of one share in 64 prompts, 0, 1/6, 1/3 and 1/2 come of the sources, in the control too.
    steps = pd.read_parquet(tmp_path / "2" / "3" / "metrics.parquet").iloc[1:]
    for i, name in enumerate(names):
        assert steps[f"control/source/reasoning_gym/{name}"].mean() == pytest.approx(
            i / 6, abs=0.01
        )


@pytest.mark.slow
def test_runs_that_differ_in_more_than_the_sampler_are_settings_and_failures_rows(run, tmp_path):
    """Runs of 10 and of 20 steps, the control beside them, and of none."""
    done = run("-m", "sampler=thompson", "trainer.steps=10,20,0", "trainer.plot=false")
    assert done.returncode == 1
    sweep = tmp_path / "out"
    content = saved(sweep)
    assert [run["status"] for run in content["runs"]] == ["completed", "completed", "failed"]
    assert content["runs"][2]["error"].startswith("UserError: trainer.steps=0: 1 or more")
    assert re.search(r"trainer\.steps=0 +failed +UserError: trainer\.steps=0", done.stdout)
    assert "failed" in (sweep / "comparison.md").read_text()

    for job, found, steps in zip("01", content["curricula"], (10, 20), strict=True):
        assert found["setting"] == f"trainer.steps={steps}"
        assert found["rollouts"] == steps * ROLLOUTS
        assert f"Curricula at {steps * ROLLOUTS:,} rollouts: {found['setting']}\n" in done.stdout
        rows = rows_of(found)
        assert [(name, row["control"]) for name, row in rows.items()] == [
            ("uniform", True),
            ("thompson", False),
        ]
        curves = pd.read_parquet(sweep / job / "metrics.parquet")
        for arm, prefix in (("uniform", "control/"), ("thompson", "")):
            share = curves[f"{prefix}groups_with_gradient"].dropna()
            assert len(share) == steps
            assert rows[arm]["groups_with_gradient"] == pytest.approx(share.mean(), abs=1e-12)
        assert found["verdict"].startswith("Simulated: ")


@pytest.mark.slow
def test_a_sweep_over_bucketers_compares_buckets(run, tmp_path):
    quick = ("trainer.steps=2", "trainer.plot=false", "trainer.control=false")
    done = run("-m", "bucketer=percentile,pass_rate", *quick)
    assert done.returncode == 0, done.stderr
    assert "Agreement of buckets (adjusted Rand index)" in " ".join(done.stdout.split())
    assert "easy 252, medium 252, hard 252, very_hard 252" in done.stdout
    assert "Curricula at" not in done.stdout
    content = saved(tmp_path / "out")
    assert [pair["problems"] for pair in content["adjusted_rand_index"]] == [1008]
    assert content["curricula"] == []
    assert not (tmp_path / "out" / "comparison.png").exists()


class Sweep:
    """A folder of runs as a sweep leaves it, with curves that are worked out by hand."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, sampler, seed, rates, control=None, knobs=(), to_gain=None, measured=0, to=()):
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
        own = {"rollouts_to_gain": to_gain, "measured_rollouts": measured, "rollouts_to": to}
        training = {
            "trainer": "local",
            "measured": "of 10 problems held out, 4 rollouts each",
            "gain_wanted": 0.1,
            "arms": {name: numbers | own for name in arms},
        }
        result = {
            "status": "completed",
            "overrides": overrides,
            "error": None,
            "choices": {"sampler": sampler},
            "config": {"seed": seed},
            "training": training,
        }
        (folder / "result.json").write_text(json.dumps(result))

    def compared(self):
        assert compare(self.folder) == []
        return the_setting(self.folder)

    def settings(self):
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
        "thompson gains most: more than any other in the same seeds. More than the control: "
        "thompson. Less than the control: bandit."
    )
    assert found["verdict"] in " ".join(capsys.readouterr().out.split())


def test_intervals_that_overlap_have_none(sweep):
    for seed, noise in ((1, 0.0), (2, 0.04), (3, -0.03)):
        sweep.add("thompson", seed, [0.5, 0.7 + noise])
        sweep.add("bandit", seed, [0.5, 0.72 - noise])
        sweep.add("uniform", seed, [0.5, 0.71])
    assert sweep.compared()["verdict"] == (
        "No winner: bandit can't be told from uniform and thompson. None can be told from the "
        "control."
    )


def test_arms_are_told_apart_by_differences_in_the_same_seeds(sweep):
    """Seeds differ by 0.3, arms by 0.02 in each: Student's on the differences, for two arms."""
    for seed, (own, other) in enumerate(((0.02, -0.01), (0.021, 0.0), (0.022, 0.01))):
        sweep.add("thompson", seed, [0.5, 0.6 + 0.1 * seed + own])
        sweep.add("bandit", seed, [0.5, 0.6 + 0.1 * seed + other])
        sweep.add("uniform", seed, [0.5, 0.6 + 0.1 * seed])
    found = sweep.compared()
    rows = rows_of(found)
    level = 1 - 0.1 / 2  # both intervals at once
    for name, gains in (("thompson", [0.02, 0.021, 0.022]), ("bandit", [-0.01, 0.0, 0.01])):
        expected = ttest_1samp(gains, 0).confidence_interval(level)
        assert rows[name]["more"] == pytest.approx(np.mean(gains))
        bounds = (rows[name]["more_low"], rows[name]["more_high"])
        assert bounds == pytest.approx(tuple(expected), abs=1e-9)
    assert rows["uniform"]["more"] is None
    assert "More than the control: thompson." in found["verdict"]
    assert rows["thompson"]["gain_low"] < rows["uniform"]["gain_high"], "unpaired, nothing is told"


def test_a_control_that_gains_most_is_the_winner(sweep):
    for seed, noise in ((1, 0.0), (2, 0.01)):
        sweep.add("uniform", seed, [0.5, 0.9 + noise])
        sweep.add("bandit", seed, [0.5, 0.6 + noise])
    verdict = sweep.compared()["verdict"]
    assert verdict.startswith("uniform gains most: more than any other in the same seeds.")
    assert verdict.endswith("Less than the control: bandit.")


def test_one_seed_tells_no_winner(sweep, capsys):
    sweep.add("uniform", 1, [0.5, 0.6])
    sweep.add("thompson", 1, [0.5, 0.9])
    found = sweep.compared()
    assert found["verdict"] == (
        "No winner can be told: uniform and thompson ran with one seed. Sweep over some, like "
        "seed=1,2,3."
    )
    assert {row["gain_low"] for row in found["arms"]} == {None}
    assert [row["gain"] for row in found["arms"]] == pytest.approx([0.1, 0.4])
    assert "nan" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_seed_that_is_missing_from_one_arm_tells_no_winner(sweep):
    sweep.add("uniform", 1, [0.5, 0.6])
    sweep.add("uniform", 2, [0.5, 0.61])
    sweep.add("thompson", 1, [0.5, 0.9])
    verdict = sweep.compared()["verdict"]
    assert verdict.startswith("No winner can be told: thompson ran with one seed.")


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


QUOTAS = ("sampler.quotas={a: 1, b: 9}", "sampler.quotas={a: 9, b: 1}")


def test_controls_that_differ_are_not_taken_for_one(sweep):
    """Guards, like quotas, hold for the control too, and arms are held against their own."""
    for quotas, gain, control in zip(QUOTAS, (0.2, 0.3), (0.1, 0.4), strict=True):
        for seed in (1, 2):
            noise = 0.001 * seed
            rates = [0.5, 0.5 + gain + noise]
            sweep.add("thompson", seed, rates, [0.5, 0.5 + control + noise], [quotas])
    found = sweep.compared()
    assert [(row["arm"], row["control"]) for row in found["arms"]] == [
        (f"uniform {QUOTAS[0]}", True),
        (f"uniform {QUOTAS[1]}", True),
        (f"thompson {QUOTAS[0]}", False),
        (f"thompson {QUOTAS[1]}", False),
    ]
    gains = [row["gain"] for row in found["arms"]]
    assert gains == pytest.approx([0.1015, 0.4015, 0.2015, 0.3015])
    assert found["verdict"] == (
        f"uniform {QUOTAS[1]} gains most: more than any other in the same seeds. "
        f"More than the control: thompson {QUOTAS[0]}. "
        f"Less than the control: thompson {QUOTAS[1]}."
    )


def test_rails_that_make_no_difference_to_the_control_leave_it_one(sweep):
    for floor, gain in (("0", 0.3), ("0.5", 0.05)):
        for seed in (1, 2):
            noise = 0.001 * seed
            rates, control = [0.5, 0.5 + gain + noise], [0.5, 0.6 + noise]
            sweep.add("thompson", seed, rates, control, [f"sampler.floor={floor}"])
    found = sweep.compared()
    assert [(row["arm"], row["seeds"]) for row in found["arms"]] == [
        ("uniform", 2),
        ("thompson sampler.floor=0", 2),
        ("thompson sampler.floor=0.5", 2),
    ]
    assert "More than the control: thompson sampler.floor=0." in found["verdict"]
    assert "Less than the control: thompson sampler.floor=0.5." in found["verdict"]


def test_an_arm_is_not_held_against_the_control_of_other_rails(sweep):
    """Its own is missing: whether quotas or the sampler make the difference is unknown."""
    for seed in (1, 2):
        noise = 0.001 * seed
        sweep.add("uniform", seed, [0.5, 0.5 + noise], knobs=[QUOTAS[0]])
        sweep.add("thompson", seed, [0.5, 0.7 + noise], knobs=[QUOTAS[0]])
        sweep.add("bandit", seed, [0.5, 0.8 + noise], knobs=[QUOTAS[1]])
    verdict = sweep.compared()["verdict"]
    assert verdict.endswith(f" More than the control: thompson {QUOTAS[0]}.")


def test_arms_are_named_by_their_knobs_and_a_missing_control_is_missed(sweep):
    """What all runs have is in no name; a knob of the sampler alone is not in the control's."""
    for discount, gain in (("0.5", 0.1), ("1.0", 0.3)):
        for seed in (1, 2):
            knobs = [f"sampler.discount={discount}", "sampler.target=0.4"]
            sweep.add("thompson", seed, [0.5, 0.5 + gain + 0.001 * seed], knobs=knobs)
    found = sweep.compared()
    names = ["thompson sampler.discount=0.5", "thompson sampler.discount=1.0"]
    assert [(row["arm"], row["control"]) for row in found["arms"]] == [(n, False) for n in names]
    assert found["verdict"] == (
        f"{names[1]} gains most: more than any other in the same seeds. "
        "There is no control: sweep over sampler=uniform too."
    )


@pytest.mark.parametrize("plus", ["", "++"])
def test_a_knob_of_the_sampler_alone_makes_no_other_control(sweep, plus):
    for discount in ("0.5", "1.0"):
        control, knobs = [0.5, 0.6], [f"{plus}sampler.discount={discount}"]
        sweep.add("thompson", 1, [0.5, 0.5 + float(discount) / 5], control, knobs)
    rows = rows_of(sweep.compared())
    assert list(rows) == ["uniform"] + [f"thompson sampler.discount={d}" for d in ("0.5", "1.0")]
    assert [row["guards"] for row in rows.values()] == [""] * 3


def test_arms_are_compared_within_a_setting(sweep, capsys):
    """thompson wins with one bucketer and the control with the other: no more is said."""
    wins = {"bucketer=percentile": "thompson", "bucketer=pass_rate": "uniform"}
    for bucketer, winner in wins.items():
        for seed in (1, 2):
            for sampler in ("thompson", "uniform"):
                last = (0.9 if sampler == winner else 0.6) + 0.001 * seed
                steps = [0.5] * (2 if winner == "uniform" else 1)
                sweep.add(sampler, seed, [*steps, last], knobs=[bucketer])
    found = sweep.settings()
    assert [each["setting"] for each in found] == list(wins)
    assert [each["rollouts"] for each in found] == [100, 200]
    shown = capsys.readouterr().out
    markdown = (sweep.folder / "comparison.md").read_text()
    for each, told in zip(
        found, ("More than the control: ", "Less than the control: "), strict=True
    ):
        winner = wins[each["setting"]]
        assert list(rows_of(each)) == ["uniform", "thompson"]
        assert rows_of(each)[winner]["gain"] == pytest.approx(0.4015)
        assert each["verdict"] == (
            f"{winner} gains most: more than any other in the same seeds. {told}thompson."
        )
        assert f"Curricula at {each['rollouts']:.0f} rollouts: {each['setting']}\n" in shown
        assert f"\n{each['setting']}\n" in markdown
        assert f"\n{each['verdict']}" in markdown


def test_a_failed_job_is_a_row_and_the_others_are_compared(sweep, capsys):
    for seed in (1, 2):
        sweep.add("thompson", seed, [0.5, 0.8 + 0.01 * seed], control=[0.5, 0.6 + 0.01 * seed])
    sweep.add("thompson", 3, [0.5, 0.9])
    path = sweep.folder / "2" / "result.json"
    failed = {"status": "failed", "error": "UserError: no", "training": None}
    result = json.loads(path.read_text()) | failed
    path.write_text(json.dumps({key: value for key, value in result.items() if value}))
    assert compare(sweep.folder) == ["2"]
    assert [row["seeds"] for row in the_setting(sweep.folder)["arms"]] == [2, 2]
    shown = capsys.readouterr().out
    assert re.search(r"\nNot complete\n 2 +.*seed=3 +failed +UserError: no *\n", shown)
    assert "buckets, easy to hard" not in shown, "none is compared"
    assert "More than the control: thompson." in shown
    assert "failed" in (sweep.folder / "comparison.md").read_text()


def test_runs_that_differ_in_their_buckets_alone_are_no_curricula(sweep, capsys):
    for bucketer in ("percentile", "pass_rate"):
        sweep.add("thompson", 1, [0.5, 0.6], [0.5, 0.6], [f"bucketer={bucketer}"])
    assert sweep.settings() == []
    assert "Curricula at" not in capsys.readouterr().out
    assert not (sweep.folder / "comparison.png").exists()


def test_rollouts_to_a_gain_are_a_mean_where_all_seeds_got_there(sweep, capsys):
    for seed, reached in ((1, 300), (2, 500)):
        sweep.add("uniform", seed, [0.5, 0.6 + 0.01 * seed], to_gain=reached)
        sweep.add("bandit", seed, [0.5, 0.6 + 0.01 * seed], to_gain=300 if seed == 1 else None)
    found = sweep.compared()
    assert [row["rollouts_to_gain"] for row in found["arms"]] == [400, None]
    shown = capsys.readouterr().out
    assert re.search(r"uniform \(control\) .* 400 ", shown)
    assert re.search(r"bandit .* by 1 of 2 ", shown)


def test_of_two_rails_only_one_may_make_a_difference_to_the_control(sweep):
    """Quotas do and the floor does not: every arm is held against the control of its quotas."""
    for quotas, gain, control in zip(QUOTAS, (0.2, 0.3), (0.1, 0.4), strict=True):
        for floor in ("0", "0.5"):
            for seed in (1, 2):
                rates = [0.5, 0.5 + gain + 0.001 * seed]
                beside = [0.5, 0.5 + control + 0.001 * seed]
                sweep.add("thompson", seed, rates, beside, [f"sampler.floor={floor}", quotas])
    arms = [
        [f"thompson sampler.floor={floor} {quotas}" for floor in ("0", "0.5")] for quotas in QUOTAS
    ]
    more, less = (" and ".join(each) for each in arms)
    verdict = sweep.compared()["verdict"]
    assert verdict.endswith(f" More than the control: {more}. Less than the control: {less}.")
