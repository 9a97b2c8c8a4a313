"""A dry run of a sampler: what is printed, what is left, and that its numbers are true."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.run.settings import Settings
from curriculum.samplers import Curriculum, Guards
from curriculum.samplers.names import BUILT_IN

ROOT = Path(__file__).parent.parent.parent
TRAINING = {"events.jsonl", "metrics.parquet", "dry_run.png"}
SHORT = ("trainer.steps=10", "trainer.plot=false")
OPTIONS = sorted(BUILT_IN)
PRESETS = sorted(path.stem for path in (conf_dir() / "preset").glob("*.yaml"))


def width_of(png):
    """Pixels, as its header says."""
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    return int.from_bytes(content[16:20])


def present(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def printed(store, tmp_path_factory):
    """The dry run of the seed's curriculum over the demo: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("dry_run")
    command = [sys.executable, "run.py", "trainer=dry_run", "sampler=reward_curriculum"]
    command += [f"output_dir={folder}", f"store_dir={store}"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process, folder


@pytest.fixture(scope="module")
def demo(printed, done):
    return done(printed[1])


@pytest.mark.slow
def test_the_table_says_that_nothing_was_trained_and_has_the_control_first(printed, demo):
    shown = printed[0].stdout
    assert "simulated by a stated learning model on the measured pass rates" in shown
    whole = " ".join((shown + printed[0].stderr).split())
    assert whole.count("no model was trained") == 1
    assert "which curriculum gains more it does not predict" in " ".join(shown.split())
    assert not any("pass_rate" in name for name in demo.steps), "no gain is named"
    assert "Dry run: 200 batches of 64 prompts, 8 rollouts each" in shown
    assert re.search(r"uniform \(control\) +reward_curriculum *\n", shown)
    arms = [demo.training["arms"][name] for name in ("uniform", "reward_curriculum")]
    for label, key, form in [
        ("rollouts", "rollouts", "{:,}"),
        ("groups with a gradient", "groups_with_gradient", "{:.0%}"),
        ("rollouts in groups without one", "rollouts_without_gradient", "{:,}"),
        ("prompts never drawn", "never_drawn", "{:,} of 1,008"),
        ("level-ups", "level_ups", "{}"),
    ]:
        cells = " +".join(re.escape(form.format(arm[key])) for arm in arms)
        assert re.search(rf" {re.escape(label)} +{cells} *\n", shown), label


def test_a_dry_run_leaves_its_files_and_lists_them(demo):
    assert TRAINING.issubset(present(demo.folder))
    assert TRAINING.issubset(demo.result["files"])
    assert demo.result["seconds"]["training"] > 0
    assert width_of(demo.folder / "dry_run.png") > 1000


def test_result_json_has_the_schedule_and_both_arms(demo):
    training = demo.training
    assert training["trainer"] == "dry_run"
    assert "no model was trained" in training["simulation"]
    schedule = (training["steps"], training["batch_size"], training["group_size"])
    assert schedule == (200, 64, 8)
    assert list(training["arms"]) == ["reward_curriculum", "uniform"]


@pytest.mark.parametrize(("arm", "prefix"), [("reward_curriculum", ""), ("uniform", "control/")])
def test_the_numbers_follow_from_the_steps(demo, arm, prefix):
    numbers, steps = demo.training["arms"][arm], demo.steps
    assert steps["step"].tolist() == list(range(201))
    rollouts = steps[f"{prefix}rollouts"]
    assert (rollouts == steps["step"] * 64 * 8).all()
    assert numbers["rollouts"] == 200 * 64 * 8

    mixed = steps[f"{prefix}groups_with_gradient"].iloc[1:]
    assert numbers["groups_with_gradient"] == pytest.approx(mixed.mean(), abs=1e-12)
    assert numbers["rollouts_without_gradient"] == ((1 - mixed) * 512).sum()
    assert 0 < mixed.min() < mixed.max() < 1
    assert numbers["prompts"] == 1008
    assert numbers["mean_draws"] == pytest.approx(200 * 64 / 1008, abs=1e-12)
    for kind in ("bucket", "source"):
        shares = demo.shares(kind, prefix)
        assert shares.shape == (200, 4)
        assert (shares * 64 % 1 == 0).all(axis=None)  # of 64 prompts
        assert (shares.sum(axis=1) == 1).all()


def test_the_control_comes_to_all_prompts_alike(demo):
    control = demo.training["arms"]["uniform"]  # 12.7 draws of each
    assert (control["never_drawn"], control["most_draws"], control["level_ups"]) == (0, 13, 0)
    shares = [bucket["count"] / 1008 for bucket in demo.result["buckets"].values()]
    assert demo.shares("bucket", "control/").mean().tolist() == pytest.approx(shares, abs=0.005)


def test_the_curriculum_begins_with_easy_prompts_and_keeps_to_its_sources(demo):
    buckets = demo.shares("bucket")
    assert buckets["easy"][:10].mean() > 0.6
    assert buckets["very_hard"][:10].mean() < 0.05  # the floor's
    assert buckets["very_hard"][-10:].mean() > 0.2
    assert (demo.shares("source") == 0.25).all(axis=None)


def test_level_ups_are_events_as_they_are_printed(printed, demo):
    rule = "=" * 80
    level_ups = [event for event in demo.events if event["event"] == "level_up"]
    assert len(level_ups) == demo.training["arms"]["reward_curriculum"]["level_ups"] == 10
    assert [event["level"] for event in level_ups] == list(range(1, 11))
    level = demo.steps.set_index("step")["sampler/level"]
    samples = demo.steps.set_index("step")["sampler/samples"]
    for event in level_ups:
        tag, step = "[RewardCurriculumSampler]", event["step"]
        lines = [
            rule,
            f"{tag} LEVEL UP! {event['level'] - 1} → {event['level']}",
            f"{tag} Batch {event['batch']}: Reward {event['reward']:.3f} >= 0.5",
            f"{tag} Samples: {event['samples_before']} → {event['samples']}",
            rule,
        ]
        assert event["text"].splitlines() == lines
        assert event["text"] in printed[0].stderr
        assert step == event["batch"]
        assert (level[step - 1], level[step]) == (event["level"] - 1, event["level"])
        assert (samples[step - 1], samples[step]) == (event["samples_before"], event["samples"])
    assert level_ups[-1]["samples"] == 1008
    starts = [event for event in demo.events if event["event"] == "start"]
    assert {event["step"] for event in starts} == {0}
    assert "Intervals: 11 (1 initial + 10 progressive)" in starts[-1]["text"]


@pytest.mark.slow
def test_the_same_again_is_the_same_and_goes_when_there_is_another(dry_run, demo):
    """In another process; then without a picture, and then without any training."""
    same = dry_run("sampler=reward_curriculum", name="same")
    for name in TRAINING:
        assert (same.folder / name).read_bytes() == (demo.folder / name).read_bytes(), name
    assert sorted(same.result["files"]) == sorted(demo.result["files"])

    files = dry_run("sampler=reward_curriculum", *SHORT, name="same").result["files"]
    assert len(files) == len(set(files))
    assert TRAINING & set(files) == TRAINING & present(same.folder) == TRAINING - {"dry_run.png"}

    untrained = dry_run("trainer=none", name="same").result
    assert not TRAINING & present(same.folder)
    assert not TRAINING & set(untrained["files"])
    assert "training" not in untrained


def test_a_run_ends_with_a_dry_run_of_the_default_sampler(dry_run, demo, capsys):
    default = dry_run("trainer.steps=40", "trainer.plot=false")
    assert re.search(r"uniform \(control\) +frontier *\n", capsys.readouterr().out)
    assert list(default.training["arms"]) == ["frontier", "uniform"]
    # The control of one sampler is that of any other.
    for name in ("control/reward", "control/groups_with_gradient"):
        assert (default.steps[name] == demo.steps[name][:41]).iloc[1:].all()


@pytest.mark.slow
def test_a_seed_is_of_the_training_alone(dry_run):
    one, other = (dry_run(f"seed={seed}", *SHORT) for seed in (1, 2))
    assert other.result["stages"]["rewards"]["reused"]
    for stage, used in other.result["stages"].items():
        assert used["fingerprint"] == one.result["stages"][stage]["fingerprint"]
    for name in ("problems.parquet", "buckets.parquet", "buckets.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    for name in ("reward", "control/reward", "bucket/hard"):
        assert (one.steps[name] != other.steps[name]).iloc[1:].any()


def test_the_control_itself_has_no_other_beside_it(dry_run):
    other = dry_run("sampler=multi_source", *SHORT)
    control = dry_run("sampler=uniform", *SHORT)
    assert list(control.training["arms"]) == ["uniform"]
    assert not [name for name in control.steps if name.startswith("control/")]
    assert (control.steps["reward"] == other.steps["control/reward"]).iloc[1:].all()
    assert control.training["arms"]["uniform"] == other.training["arms"]["uniform"]


def test_the_schedule_is_the_given_one_and_the_control_may_be_left_out(dry_run, capsys):
    knobs = ("trainer.steps=7", "trainer.batch_size=10", "trainer.group_size=4")
    found = dry_run("trainer.control=false", "trainer.plot=false", *knobs)
    assert not (found.folder / "dry_run.png").exists()
    assert list(found.training["arms"]) == ["frontier"]
    assert found.steps["rollouts"].tolist() == [40 * step for step in range(8)]
    assert (found.shares("bucket") * 10).apply(np.round, decimals=9).isin(range(11)).all(axis=None)
    assert found.training["arms"]["frontier"]["mean_draws"] == pytest.approx(70 / 1008)
    assert (found.steps["reward"].iloc[1:] * 40).round(9).isin(range(41)).all()
    shown = capsys.readouterr().out
    assert "Dry run: 7 batches of 10 prompts, 4 rollouts each" in shown
    assert "control" not in shown


@pytest.mark.slow
def test_rewards_that_come_late_come_late(dry_run):
    knobs = ("sampler=reward_curriculum", "trainer.control=false", "trainer.plot=false")
    found = {
        delay: dry_run(*knobs, "trainer.steps=30", f"trainer.delay={delay}") for delay in (0, 5, 30)
    }
    steps = {
        delay: [(e["batch"], e["step"]) for e in each.events if e["event"] == "level_up"]
        for delay, each in found.items()
    }
    assert steps[0] == [(12, 12), (24, 24)]
    assert steps[5] == [(12, 17), (24, 29)]
    assert steps[30] == []  # none of them comes back in time
    assert found[30].steps["sampler/level"].max() == 0
    for name in ("reward", "bucket/hard"):  # until the first that is heard of
        assert (found[0].steps[name][:13] == found[5].steps[name][:13]).iloc[1:].all()


def test_a_batch_is_of_all_prompts_where_there_are_fewer(dry_run, caplog):
    found = dry_run("sampler=uniform", *SHORT, "trainer.steps=3", "trainer.batch_size=2000")
    arm = found.training["arms"]["uniform"]
    assert (arm["never_drawn"], arm["mean_draws"], arm["most_draws"]) == (0, 3, 3)
    assert found.steps["rollouts"].tolist() == [0, 1008 * 8, 2 * 1008 * 8, 3 * 1008 * 8]
    assert found.training["batch_size"] == 1008
    assert (found.shares("source") == 0.25).all(axis=None)
    warned = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(warned) == 1
    assert warned[0].startswith("trainer.batch_size=2000, but there are only 1008 prompts: ")


def test_one_prompt_is_enough(dry_run, write_problems):
    found = dry_run(*write_problems([("math", "1+1", 4, {})]), "trainer.steps=3")
    arm = found.training["arms"]["frontier"]
    assert (arm["prompts"], arm["never_drawn"], arm["most_draws"]) == (1, 0, 3)
    assert (found.shares("source")["math"] == 1).all()
    assert (found.folder / "dry_run.png").exists()


def upside_down(write_problems):
    """Prompts that the model solves are hard by their field, and the other way round."""
    rows = [
        ("math", f"m{i}", 8 * (i < 20), {"complexity_score": -i, "index": i}) for i in range(40)
    ]
    return (*write_problems(rows), "bucketer=threshold", "bucketer.thresholds=[0.5]")


def test_a_field_of_the_data_may_say_how_hard_a_prompt_is(dry_run, write_problems):
    knobs = ("sampler=reward_curriculum", "sampler.floor=0", "trainer.batch_size=10", *SHORT)
    knobs = (*upside_down(write_problems), *knobs)
    measured = dry_run(*knobs).shares("bucket")
    told = dry_run(*knobs, "sampler.complexity_score=complexity_score").shares("bucket")
    easiest, hardest = measured.columns
    assert measured[easiest].iloc[0] == 1
    assert told[hardest].iloc[0] == 1


def test_a_field_that_is_not_there_names_those_that_are(dry_run, write_problems):
    knobs = ("sampler=reward_curriculum", "sampler.complexity_score=complexity", *SHORT)
    with pytest.raises(UserError) as raised:
        dry_run(*upside_down(write_problems), *knobs)
    assert "extra_info.complexity is no number for 40 of 40 problems" in str(raised.value)
    assert "fields with numbers: complexity_score, index" in str(raised.value)


def test_only_the_source_of_the_curriculum_needs_the_field(dry_run, write_problems):
    logicif = [("logicif", f"l{i}", i % 9, {"complexity_score": i}) for i in range(20)]
    iftrain = [("iftrain", f"i{i}", i % 9, {"id": "a"}) for i in range(20)]
    knobs = (*write_problems([*logicif, *iftrain]), "sampler=reward_curriculum", *SHORT)
    knobs = (*knobs, "sampler.complexity_score=complexity_score")
    found = dry_run(*knobs, "sampler.complexity_source=logicif")
    assert found.steps["sampler/samples"].iloc[-1] == 6  # 30 % of logicif
    with pytest.raises(UserError, match="complexity_score is no number for 20 of 20 problems"):
        dry_run(*knobs)


def test_quotas_are_kept_in_every_batch(dry_run, write_problems):
    rows: list[tuple] = [(source, f"{source}{i}", i % 9, {}) for source in "ab" for i in range(40)]
    knobs = ("sampler.quotas={a: 3, b: 1}", "trainer.batch_size=10", *SHORT)
    found = dry_run(*write_problems(rows), *knobs)
    for prefix in ("", "control/"):
        shares = found.shares("source", prefix)
        assert set((shares["a"] * 10).round()) == {7, 8}  # of 7.5
        total = (shares["a"] * 10).cumsum().to_numpy()
        assert np.abs(total - 7.5 * np.arange(1, 11)).max() < 1


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
def test_every_sampler_runs_with_what_its_file_says(dry_run, option):
    found = dry_run(f"sampler={option}", "trainer.steps=5", "trainer.plot=false")
    arm = found.training["arms"][option]
    assert arm["mean_draws"] == pytest.approx(5 * 64 / 1008)
    assert arm["most_draws"] <= 5
    assert np.isfinite(found.steps.filter(regex="^(?!control/)").iloc[-1].astype(float)).all()


STAGES = ("preset=curriculum", "data.path=curriculum/demo/rollouts.parquet", "trainer=dry_run")


def test_only_the_training_side_is_trained_on(dry_run):
    found = dry_run(*STAGES, "export.val_fraction=0.2", *SHORT)
    stages = json.loads((found.folder / "stages.json").read_text())["stages"]
    trained = sum(stage["train"] for stage in stages)
    assert trained < 0.85 * 1008
    assert {arm["prompts"] for arm in found.training["arms"].values()} == {trained}
    assert list(found.shares("bucket")) == ["easy", "medium", "hard"]


def test_what_a_dry_run_draws_a_loop_of_one_s_own_draws(dry_run):
    found = dry_run(*STAGES, "export.val_fraction=0.2", "sampler.floor=0.3", "seed=4", *SHORT)
    prompts = Prompts.load(found.folder)
    assert len(prompts) == found.result["total_problems"] == 1008
    guards = Guards(floor=0.3)
    curriculum = Curriculum.from_run(found.folder, seed=4, guards=guards)
    assert len(curriculum.prompts) == prompts.trained.sum() < 0.85 * 1008
    drawn = curriculum.prompts.bucket[curriculum.next_batch()]
    mix = np.bincount(drawn, minlength=3) / 64
    assert found.shares("bucket").iloc[0].tolist() == pytest.approx(mix)


def test_buckets_that_are_no_stage_are_not_trained_on(dry_run):
    shares = dry_run(*STAGES, "export.buckets=[medium,hard]", *SHORT).shares("bucket")
    assert shares.get("easy", pd.Series([0])).max() == 0
    assert shares["medium"].max() > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_choose_no_training(composed, preset):
    assert composed(f"preset={preset}").trainer._target_ is None


def test_a_preset_leaves_no_files_of_training(dry_run, write_problems):
    _, path = write_problems([("math", f"{i}", i % 9, {}) for i in range(18)])
    found = dry_run("preset=bucket_rollouts", path)
    assert found.result["total_problems"] == 18
    assert not TRAINING & present(found.folder)


@pytest.fixture(scope="module")
def configuration():
    """The default one."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("config", ["sampler=thompson", "trainer=dry_run"])


@pytest.mark.parametrize(
    ("knob", "said"),
    [
        ("trainer.steps=0", "trainer.steps=0"),
        ("trainer.group_size=-1", "trainer.group_size=-1"),
        ("trainer.steps=2.5", "trainer.steps"),
        ("trainer.learning_rate=-0.1", "trainer.learning_rate=-0.1"),
        ("trainer.transfer=1.1", "trainer.transfer=1.1"),
        ("trainer.source_transfer=-0.1", "trainer.source_transfer=-0.1"),
        ("trainer.source_transfer=.nan", "trainer.source_transfer=nan"),
        ("trainer.delay=-1", "trainer.delay=-1"),
        ("sampler.floor=2", "sampler.floor=2"),
        ("sampler.quotas={a: -1, b: 2}", "sampler.quotas.a=-1"),
        ("seed=-1", "seed=-1: a whole number, 0 or more"),
        ("seed=1.5", "seed=1.5: a whole number, 0 or more"),
        ("seed=true", "seed=True: a whole number, 0 or more"),
        ("seed=null", "seed=None: a whole number, 0 or more"),
    ],
)
def test_knobs_out_of_range_are_errors_before_any_work(configuration, knob, said):
    cfg = OmegaConf.merge(configuration, OmegaConf.from_dotlist([knob]))
    values = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    with pytest.raises(UserError, match=re.escape(said)):
        Settings.build(values)


@pytest.mark.slow
def test_a_mistake_ends_in_one_clear_line(run, tmp_path):
    done = run("sampler.quotas={reasoning_gym/gcd: 1}")
    assert done.returncode == 1
    said = "error: sampler.quotas has nothing for reasoning_gym/chain_sum, "
    assert done.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["status"] == "failed"
    assert "training" not in result


WEIGHTS = {"chain_sum": 2, "gcd": 1, "products": 1, "spell_backward": 0}


def weights(**given):
    return ", ".join(f"reasoning_gym/{name}: {weight}" for name, weight in given.items())


def test_weights_of_sources_are_kept(dry_run):
    found = dry_run(
        "sampler=multi_source", f"sampler.source_weights={{{weights(**WEIGHTS)}}}", *SHORT
    )
    shares = found.shares("source").rename(columns=lambda name: name.split("/")[-1])
    assert {name: set(share * 4) for name, share in shares.items()} == {
        name: {weight} for name, weight in WEIGHTS.items()
    }


def test_sources_are_alike_unless_told(composed):
    assert composed("sampler=multi_source").sampler.source_weights is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gcd": 1, "nowhere": 1}, "no problem is of the source 'reasoning_gym/nowhere'"),
        ({"gcd": 1, "products": 1, "chain_sum": 1}, "nothing for reasoning_gym/spell_backward"),
    ],
)
def test_weights_that_fit_no_source_are_errors(dry_run, given, said):
    with pytest.raises(UserError, match=said):
        dry_run("sampler=multi_source", f"sampler.source_weights={{{weights(**given)}}}", *SHORT)
