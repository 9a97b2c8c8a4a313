"""Buckets become files of training and validation rows, and no prompt is in both."""

import json
import logging
import random
import shutil
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from curriculum import data
from curriculum.bucketers import Recorded
from curriculum.config.build import typed
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.layouts import Export, Generations, Stages
from curriculum.run import pipeline
from curriculum.run.context import Context
from curriculum.testing import make_measured

LAYOUT = Stages()
EXPORT = Export(**OmegaConf.load(conf_dir() / "config.yaml").export)
BUCKETS = {"easy": 30, "medium": 25, "hard": 44}  # and how many prompts stand in no other
BEST = [0, 0.25, 0.49, 0.5, 1.25]  # rewards of problem i are 0 and BEST[i % 5]


def line(prompt, *rewards):
    return {
        "prompt": prompt,
        "response": {"choices": [{"message": {"content": f"{reward}"}} for reward in rewards]},
        "reward": [{"score": reward} for reward in rewards],
        "ground_truth": "4",
    }


def chat(text):
    return [{"role": "user", "content": text}]


def lines():
    """{bucket: its lines}; ten prompts stand in two buckets, two of them twice in one."""
    rows = {
        name: [line(chat(f"{name} {i}"), 0, BEST[i % 5]) for i in range(count)]
        for name, count in BUCKETS.items()
    }
    for i in range(10):
        rows["hard"].append(line(f"shared {i}", 0, 1))
        rows["easy" if i < 5 else "medium"].append(line(chat(f"shared {i}"), 1, 1))
    rows["hard"] += [line("shared 0", 0, 1), line("hard 3", 0.5)]
    rows["unscored"] = [line("never scored", None), line("nor this", None, None)]
    return rows


def write_lines(folder, rows):
    folder.mkdir(parents=True)
    for name, each in rows.items():
        text = "".join(json.dumps(row) + "\n" for row in each)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def outcome_of(path, names=None):
    source = data.Buckets(str(path), "problem_id", "prompt", "reward_model")
    return make_measured(source, Recorded(names), "recorded")


@pytest.fixture(scope="module")
def bucketed(tmp_path_factory):
    return write_lines(tmp_path_factory.mktemp("in") / "bucketed", lines())


@pytest.fixture(scope="module")
def outcome(bucketed):
    return outcome_of(bucketed)


@pytest.fixture
def write(tmp_path, outcome):
    """Write stages; {file name without its ending: table} and the manifest."""

    def write(outcome=outcome, **options):
        folder = tmp_path / f"written{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        written = LAYOUT.write(outcome, folder, replace(EXPORT, **options))
        assert sorted(each.path for each in written) == sorted(folder.iterdir())
        (manifest,) = folder.glob("*.json")
        tables = {path.stem: pq.read_table(path) for path in folder.glob("*_*.parquet")}
        return tables, json.loads(manifest.read_text())

    return write


@pytest.fixture
def run_here(composed_values, tmp_path):
    """`python run.py preset=prepare_stages ...` in this process, into a folder."""

    def run_here(folder, *overrides):
        folder.mkdir(exist_ok=True)
        own = f"output_dir={folder}", f"store_dir={tmp_path}/store"
        cfg = composed_values("preset=prepare_stages", *overrides, *own)
        choices = {"reward": "auto", "metric": "mean_reward", "bucketer": "recorded"}
        context = Context.of(cfg, folder, choices)
        try:
            pipeline.run(cfg, context)
        except UserError as error:
            context.ledger.write(error)
            raise
        context.ledger.write()
        return read(folder)

    return run_here


def read(folder):
    return {path.stem: pq.read_table(path) for path in folder.glob("*_*.parquet")}


def texts(table):
    return [prompt[-1]["content"] for prompt in table["prompt"].to_pylist()]


def of(tables, side):
    """The prompts of all stages' train or val files."""
    return {text for name, each in tables.items() if name.endswith(side) for text in texts(each)}


def prompts_of(bucket, keep=lambda best: True):
    """What should be in a bucket's stage, as often as it should, in the order of its file."""
    kept = []
    for row in lines()[bucket]:
        text = row["prompt"] if isinstance(row["prompt"], str) else row["prompt"][0]["content"]
        kept += [text] * keep(max(each["score"] for each in row["reward"]))
    return kept


# On the command line.


@pytest.mark.slow
def test_the_three_ways_to_make_stages(run, tmp_path, bucketed):
    source = ["preset=prepare_stages", f"data.path={bucketed}"]
    phase2 = ["export.combine=true", "export.name=phase2", "export.buckets=[easy,medium]"]
    done = {
        "separate": run(*source, f"output_dir={tmp_path}/separate", "export.filter=passing_only"),
        "combined": run(*source, f"output_dir={tmp_path}/combined", *phase2),
        "cumulative": run(*source, f"output_dir={tmp_path}/cumulative", "export.cumulative=true"),
    }
    for each in done.values():
        assert each.returncode == 0, each.stderr
        for words in ("it is bucketed_curriculum", "it is instruction_following"):
            assert each.stderr.count(words) == 1
        assert "Stages" in each.stdout
    tables = {name: read(tmp_path / name) for name in done}
    assert {name: set(each) for name, each in tables.items()} == {
        "separate": {f"{name}_{side}" for name in BUCKETS for side in ("train", "val")},
        "combined": {"phase2_train", "phase2_val"},
        "cumulative": {f"cumulative_stage{i}_{s}" for i in (1, 2, 3) for s in ("train", "val")},
    }
    assert (tmp_path / "combined" / "phase2_stages.json").exists()
    for name in BUCKETS:
        both = [
            *texts(tables["separate"][f"{name}_train"]),
            *texts(tables["separate"][f"{name}_val"]),
        ]
        assert sorted(both) == sorted(prompts_of(name, lambda best: best >= 0.5))
    flat = {
        f"{name} {stage}": each for name, every in tables.items() for stage, each in every.items()
    }
    assert not of(flat, "train") & of(flat, "val")
    assert all(each.schema == flat["separate easy_train"].schema for each in flat.values())


@pytest.mark.slow
def test_the_same_command_gives_the_same_bytes(run, tmp_path, bucketed):
    for folder in ("one", "two"):
        command = [
            "preset=prepare_stages",
            f"data.path={bucketed}",
            f"output_dir={tmp_path}/{folder}",
        ]
        assert run(*command).returncode == 0
    names = sorted(path.name for path in (tmp_path / "one").glob("*_*.parquet"))
    assert len(names) == 6
    for name in [*names, "stages.json"]:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.slow
def test_the_whole_pipeline_is_its_two_halves(run, tmp_path):
    rng = random.Random(0)
    rows = [line(f"question {i}", *(rng.choice([0, 0, 1]) for _ in range(5))) for i in range(90)]
    source = write_lines(tmp_path / "rollouts", {"a": rows[:50], "b": rows[50:]})
    for command in (
        ["preset=curriculum", f"data.path={source}", f"output_dir={tmp_path}/whole"],
        ["preset=bucket_rollouts", f"data.path={source}", f"output_dir={tmp_path}/buckets"],
        ["preset=prepare_stages", f"data.path={tmp_path}/buckets", f"output_dir={tmp_path}/half"],
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    whole, half = read(tmp_path / "whole"), read(tmp_path / "half")
    sizes = {name: len(each) for name, each in whole.items()}
    assert sizes == {
        f"{n}_{s}": {"train": 27, "val": 3}[s] for n in BUCKETS for s in ("train", "val")
    }
    for name, one in whole.items():
        own = [
            sorted(
                (
                    {**row, "extra_info": {**row["extra_info"], "index": None}}
                    for row in table.to_pylist()
                ),
                key=str,
            )
            for table in (one, half[name])
        ]
        assert own[0] == own[1]


def test_combined_and_cumulative_is_an_error(run, bucketed):
    both = "export.combine=true", "export.cumulative=true"
    done = run("preset=prepare_stages", f"data.path={bucketed}", *both)
    assert done.returncode == 1
    assert "set one of them" in done.stderr
    assert "Traceback" not in done.stderr


# Stages.


def test_a_stage_a_bucket_with_its_share_held_out(write):
    tables, manifest = write()
    for name in BUCKETS:
        train, val = (texts(tables[f"{name}_{side}"]) for side in ("train", "val"))
        assert sorted(train + val) == sorted(prompts_of(name))
        stages = tables[f"{name}_train"]["extra_info"].to_pylist()
        assert {info["curriculum_stage"] for info in stages} == {name}
    # A tenth of the prompts at home there: of 35, of 30, and of 44, the ten shared ones not.
    at_home = {"easy": 4, "medium": 3, "hard": 4}
    for name, count in at_home.items():
        own = [f"{name} ", "shared"] if name != "hard" else ["hard "]
        assert len({t for t in texts(tables[f"{name}_val"]) if t.startswith(tuple(own))}) == count
    assert [stage["stage"] for stage in manifest["stages"]] == ["easy", "medium", "hard"]


def test_a_prompt_in_several_files_is_on_one_side_of_all(write):
    sides = set()
    for seed in range(10):
        tables, _ = write(seed=seed, val_fraction=0.3)
        assert not of(tables, "train") & of(tables, "val")
        sides |= {side for side in ("train", "val") if "shared 0" in of(tables, side)}
        copies = sum(texts(each).count("shared 0") for each in tables.values())
        assert copies == 3
    assert sides == {"train", "val"}


def test_a_combined_stage_is_its_buckets_one_after_another(write):
    separate, _ = write()
    combined, manifest = write(combine=True, name="phase2", buckets=["medium", "easy"])
    assert set(combined) == {"phase2_train", "phase2_val"}
    for side in ("train", "val"):
        parts = [separate[f"{name}_{side}"] for name in ("easy", "medium")]
        assert combined[f"phase2_{side}"].equals(pa.concat_tables(parts))
    (stage,) = manifest["stages"]
    assert stage["stage"] == "phase2" and stage["buckets"] == ["easy", "medium"]


def test_cumulative_stages_grow_by_a_bucket(write):
    separate, _ = write()
    cumulative, manifest = write(cumulative=True)
    for i in (1, 2, 3):
        for side in ("train", "val"):
            parts = [separate[f"{name}_{side}"] for name in list(BUCKETS)[:i]]
            assert cumulative[f"cumulative_stage{i}_{side}"].equals(pa.concat_tables(parts))
    assert len(cumulative) == 6
    assert manifest["stages"][1]["buckets"] == ["easy", "medium"]


def test_cumulative_stages_of_chosen_buckets(write):
    cumulative, manifest = write(cumulative=True, buckets=["hard", "easy"])
    assert [stage["buckets"] for stage in manifest["stages"]] == [["easy"], ["easy", "hard"]]
    assert len(cumulative) == 4


def test_rows_keep_the_order_of_the_data(write):
    tables, _ = write(combine=True, val_fraction=0)
    assert texts(tables["combined_train"]) == [
        text for name in BUCKETS for text in prompts_of(name)
    ]


@pytest.mark.parametrize(
    ("mode", "keep"),
    [
        ("all", lambda best: True),
        ("best_only", lambda best: best > 0),
        ("passing_only", lambda best: best >= 0.5),
    ],
)
def test_filters_keep_problems_by_their_best_reward(write, mode, keep):
    tables, manifest = write(filter=mode)
    everything, _ = write()
    for name in BUCKETS:
        for side in ("train", "val"):
            kept = [t for t in texts(everything[f"{name}_{side}"]) if t in prompts_of(name, keep)]
            assert texts(tables[f"{name}_{side}"]) == kept
        left_out = len(prompts_of(name)) - len(prompts_of(name, keep))
        assert manifest["left_out_by_filter"][name] == left_out
    if mode != "all":
        assert sum(manifest["left_out_by_filter"].values()) > 0


def test_filters_round_rewards_before_they_compare_them(tmp_path, write):
    best = {"at a half": 0.7 - 0.2, "below it": 0.4999, "nothing": 0.1 + 0.2 - 0.3}
    rows = {"all": [line(text, -1, reward) for text, reward in best.items()]}
    outcome = outcome_of(write_lines(tmp_path / "rounded", rows))
    for mode, kept in (("passing_only", ["at a half"]), ("best_only", ["at a half", "below it"])):
        tables, _ = write(outcome, filter=mode, val_fraction=0)
        assert texts(tables["all_train"]) == kept


def test_nothing_but_data_buckets_and_seed_moves_a_problem_to_the_other_side(write):
    train, val = (of(write()[0], side) for side in ("train", "val"))
    for options in (
        {"filter": "best_only"},
        {"filter": "passing_only"},
        {"buckets": ["medium"]},
        {"buckets": ["hard", "medium"]},
        {"combine": True, "name": "phase3"},
        {"cumulative": True, "prefix": "x_"},
    ):
        tables, _ = write(**options)
        assert of(tables, "train") <= train and of(tables, "val") <= val


def test_the_order_of_lines_moves_no_problem(tmp_path, write):
    rows = {name: random.Random(1).sample(each, len(each)) for name, each in lines().items()}
    shuffled, _ = write(outcome_of(write_lines(tmp_path / "shuffled", rows)))
    tables, _ = write()
    assert {name: sorted(texts(each)) for name, each in shuffled.items()} == {
        name: sorted(texts(each)) for name, each in tables.items()
    }
    assert texts(shuffled["easy_train"]) != texts(tables["easy_train"])


def test_another_seed_holds_out_other_problems(write):
    splits = {frozenset(of(write(seed=seed)[0], "val")) for seed in range(5)}
    assert len(splits) == 5
    assert of(write(seed=3)[0], "val") in splits


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.8])
def test_the_share_held_out(write, fraction):
    tables, manifest = write(buckets=["medium"], val_fraction=fraction)
    assert len(tables["medium_val"]) == fraction * 30
    assert len(tables["medium_train"]) == 30 - fraction * 30
    assert manifest["val_fraction"] == fraction


def test_no_validation_where_none_is_wanted(write, caplog):
    tables, manifest = write(val_fraction=0)
    assert {name: len(each) for name, each in tables.items()} == {
        "easy_train": 35,
        "medium_train": 30,
        "hard_train": 56,
    }
    assert [stage["val"] for stage in manifest["stages"]] == [0, 0, 0]
    assert "no file" not in caplog.text


def test_a_side_without_problems_is_no_file_and_said(tmp_path, write, caplog):
    rows = {
        "easy": [line(f"easy {i}", 1) for i in range(20)],
        "medium": [line("alone", 0.75)],
        "hard": [line(f"hard {i}", 0) for i in range(20)],
    }
    with caplog.at_level(logging.WARNING):
        tables, manifest = write(
            outcome_of(write_lines(tmp_path / "in", rows)), filter="passing_only"
        )
    assert set(tables) == {"easy_train", "easy_val", "medium_train"}
    counts = [(each["stage"], each["train"], each["val"]) for each in manifest["stages"][1:]]
    assert counts == [("medium", 1, 0), ("hard", 0, 0)]
    assert caplog.messages.count("stage medium has no problem to val: no file") == 1
    assert caplog.messages.count("stage hard has no problem to train and val: no file") == 1
    assert "stage easy has" not in caplog.text


def test_no_problem_left_is_an_error_before_anything_is_written(tmp_path):
    rows = {"easy": [line("a", 0.25)], "hard": [line("b", 0)]}
    outcome = outcome_of(write_lines(tmp_path / "in", rows))
    (tmp_path / "out").mkdir()
    export = replace(EXPORT, filter="passing_only")
    with pytest.raises(UserError, match=r"easy, hard have none that export\.filter=passing_only"):
        LAYOUT.write(outcome, tmp_path / "out", export)
    assert not list((tmp_path / "out").iterdir())


def test_an_unknown_bucket_is_an_error_that_names_those_there_are(outcome, tmp_path):
    export = replace(EXPORT, buckets=["easy", "esay", "hrad"])
    with pytest.raises(UserError, match="no bucket esay, hrad; there are easy, medium, hard"):
        LAYOUT.write(outcome, tmp_path, export)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"filter": "passing"}, "export.filter=passing"),
        ({"val_fraction": 1.0}, "export.val_fraction=1.0"),
        ({"val_fraction": -0.1}, "export.val_fraction=-0.1"),
        ({"name": "a/b"}, "can't have a '/'"),
        ({"combine": True, "cumulative": True}, "set one of them"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_errors(option, message):
    with pytest.raises(UserError, match=message):
        typed(Export, option, "export")


def test_lines_without_a_reward_make_no_stage(write):
    tables, manifest = write()
    assert "unscored" not in json.dumps(manifest)
    assert not {"never scored", "nor this"} & (of(tables, "train") | of(tables, "val"))


def test_buckets_of_any_name_are_stages_easy_to_hard(tmp_path, write):
    rows = {f"stage{i}": [line(f"{i} {j}", i / 4) for j in range(10)] for i in range(5)}
    path = write_lines(tmp_path / "in", rows)
    tables, manifest = write(outcome_of(path), cumulative=True)
    assert manifest["stages"][2]["buckets"] == ["stage4", "stage3", "stage2"]
    assert len(tables["cumulative_stage5_train"]) == 45
    names = [f"stage{i}" for i in range(5)]
    _, manifest = write(outcome_of(path, names))
    assert [stage["stage"] for stage in manifest["stages"]] == names


def test_a_named_bucket_without_problems_is_a_stage_without_files(tmp_path, write, caplog):
    rows = {"low": [line(f"a {i}", 0) for i in range(5)]}
    names = ["high", "low"]
    tables, manifest = write(outcome_of(write_lines(tmp_path / "in", rows), names))
    assert set(tables) == {"low_train", "low_val"}
    assert [stage["train"] for stage in manifest["stages"]] == [0, 4]
    assert "stage high has no problem to train and val: no file" in caplog.messages


def test_the_manifest_says_what_was_made_and_how(write):
    _, manifest = write(filter="best_only", seed=7, val_fraction=0)
    counts = {name: len(prompts_of(name, lambda best: best > 0)) for name in BUCKETS}
    for stage, (name, count) in zip(manifest.pop("stages"), counts.items(), strict=True):
        assert 0 < stage.pop("groups_with_gradient") < 1
        own = {"stage": name, "buckets": [name], "train": count, "val": 0, "replayed": 0}
        assert stage == own
    assert manifest == {
        "group_size": 8,
        "filter": "best_only",
        "keep": None,
        "left_out": {"no such reward": 121 - sum(counts.values())},
        "left_out_by_filter": {
            name: len(prompts_of(name)) - count for name, count in counts.items()
        },
        "val_fraction": 0,
        "split": "bucket",
        "seed": 7,
        "complexity_score": "mean_reward",
        "json_text": [],
        "stand_ins": {"data_source": 121, "ability": 121},
        "left_out_columns": {"may_be_of_a_rollout": [], "names_of_verl": []},
    }


def test_a_prefix_stands_before_every_file(outcome, tmp_path):
    written = LAYOUT.write(outcome, tmp_path, replace(EXPORT, prefix="run1_", buckets=["easy"]))
    names = [each.path.name for each in written]
    assert names == ["run1_easy_train.parquet", "run1_easy_val.parquet", "run1_easy_stages.json"]


def test_the_terminal_shows_the_stages(outcome, tmp_path, capsys):
    LAYOUT.show(outcome, LAYOUT.write(outcome, tmp_path, replace(EXPORT, cumulative=True)))
    shown = [" ".join(each.split()) for each in capsys.readouterr().out.splitlines()]
    tables = {name: len(each) for name, each in read(tmp_path).items()}
    for i, buckets in enumerate(["easy", "easy + medium", "easy + medium + hard"], start=1):
        name = f"cumulative_stage{i}"
        row = f"{name} {buckets} {tables[f'{name}_train']} {tables[f'{name}_val']} 0"
        assert any(each.startswith(row) and each.endswith(" %") for each in shown)


# Several runs in one folder.


@pytest.fixture
def phase(run_here, tmp_path, bucketed):
    """Export a combined stage into the folder that all phases share."""

    def phase(number, buckets, *overrides):
        names = f"export.name=phase{number}", f"export.buckets=[{buckets}]"
        source = f"data.path={bucketed}"
        return run_here(tmp_path / "progressive", source, "export.combine=true", *names, *overrides)

    return phase


def test_phases_stay_beside_each_other(phase, tmp_path):
    phase(2, "easy,medium")
    tables = phase(3, "easy,medium,hard")
    assert set(tables) == {f"phase{i}_{side}" for i in (2, 3) for side in ("train", "val")}
    assert not of(tables, "train") & of(tables, "val")
    for i, buckets in ((2, ["easy", "medium"]), (3, ["easy", "medium", "hard"])):
        manifest = json.loads((tmp_path / "progressive" / f"phase{i}_stages.json").read_text())
        assert manifest["stages"][0]["buckets"] == buckets


def test_a_run_again_removes_what_it_no_longer_makes(run_here, tmp_path, bucketed):
    first = run_here(tmp_path / "out", f"data.path={bucketed}")
    assert len(first) == 6
    again = run_here(tmp_path / "out", f"data.path={bucketed}", "export.val_fraction=0")
    assert set(again) == {"easy_train", "medium_train", "hard_train"}


def test_a_phase_again_leaves_no_validation_of_before_whatever_ran_between(phase):
    phase(2, "easy,medium")
    phase(3, "easy,medium,hard")
    tables = phase(2, "easy,medium", "export.val_fraction=0")
    assert set(tables) == {"phase2_train", "phase3_train", "phase3_val"}


def test_a_phase_of_other_buckets_leaves_no_validation_of_before(phase):
    phase(2, "easy,medium")
    tables = phase(2, "easy", "export.val_fraction=0")
    assert set(tables) == {"phase2_train"}


def test_a_failed_run_between_forgets_no_files(run_here, tmp_path, bucketed):
    run_here(tmp_path / "out", f"data.path={bucketed}")
    with pytest.raises(UserError, match="no bucket esay"):
        run_here(tmp_path / "out", f"data.path={bucketed}", "export.buckets=[esay]")
    again = run_here(tmp_path / "out", f"data.path={bucketed}", "export.val_fraction=0")
    assert set(again) == {"easy_train", "medium_train", "hard_train"}


@pytest.mark.slow
def test_buckets_stay_where_stages_are_written_beside_them(run_here, tmp_path, bucketed):
    folder = shutil.copytree(bucketed, tmp_path / "both")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    one = run_here(folder, f"data.path={folder}")
    assert run_here(folder, f"data.path={folder}") == one
    run_here(folder, f"data.path={folder}", "export.cumulative=true", "export.val_fraction=0")
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.fixture
def again(run_here, tmp_path, bucketed):
    """Make stages and, of the stage easy, stages in the same folder."""

    def again(*overrides):
        folder = tmp_path / "out"
        yield run_here(folder, f"data.path={bucketed}")
        source = "data=verl", f"data.path={folder}/easy_train.parquet", f"generator.path={bucketed}"
        yield run_here(folder, *source, "bucketer=percentile", "bucketer.n=2", *overrides)

    return again


def test_stage_files_that_are_input_are_never_removed(again):
    first, second = again("bucketer.names=[low,high]")
    assert set(second) == {"easy_train", "low_train", "low_val", "high_train", "high_val"}
    assert second["easy_train"].equals(first["easy_train"])
    assert len(second["low_train"]) + len(second["low_val"]) == 16


def test_stage_files_that_are_input_are_never_written_over(again, tmp_path):
    runs = again("bucketer.names=[easy,hard]")
    first = next(runs)
    with pytest.raises(UserError, match=r"easy_train.parquet is input of this run"):
        next(runs)
    assert read(tmp_path / "out") == first


def test_rollouts_in_verl_s_form_beside_the_buckets_are_no_bucket(tmp_path, outcome, bucketed):
    folder = shutil.copytree(bucketed, tmp_path / "buckets")
    Generations().write(outcome, folder, EXPORT)
    assert outcome_of(folder).buckets.names == ["easy", "medium", "hard"]
