"""Which problems stages keep, by numbers worked out with scipy, and what is listed of others."""

import json

import pandas as pd
import pytest
from scipy.stats import betabinom

ROLLOUTS = 16
# Passes of 16 rollouts of each problem of two sources: always, often, half, seldom, never.
PASSES = [16, 15, 14, 12, 8, 8, 4, 2, 1, 0] * 4


def gradient(c, n=ROLLOUTS, group=8):
    """Posterior share of groups with both kinds, by the beta-binomial of a whole group."""
    of_group = betabinom(group, 0.5 + c, 0.5 + n - c)
    return 1 - of_group.pmf(0) - of_group.pmf(group)


@pytest.fixture
def stages(run, tmp_path):
    """Files and manifest of combined stages of the passes above."""
    path = tmp_path / "rollouts.jsonl"
    rows = [
        {
            "problem_id": f"p{i}",
            "prompt": f"question {i % 37}",  # three stand twice
            "data_source": "ab"[i % 2],
            "responses": ["x"] * ROLLOUTS,
            "rewards": [1.0] * c + [0.0] * (ROLLOUTS - c),
        }
        for i, c in enumerate(PASSES)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def stages(*overrides):
        out = tmp_path / "out"
        common = ["export.combine=true", "export.val_fraction=0", f"store_dir={tmp_path}/store"]
        done = run("preset=curriculum", f"data.path={path}", *common, *overrides)
        assert done.returncode == 0, done.stderr
        files = {each.stem: pd.read_parquet(each) for each in out.glob("*.parquet")}
        manifest = json.loads((out / "combined_stages.json").read_text())
        return files, manifest, done

    return stages


def ids(table):
    return [int(info["problem_id"][1:]) for info in table["extra_info"]]


def test_a_filter_keeps_the_problems_whose_groups_probably_teach(stages):
    files, manifest, _ = stages("export.filter=gradient")
    kept = [i for i, c in enumerate(PASSES) if gradient(c) >= 0.5]
    assert sorted(ids(files["combined_train"])) == kept and 0 < len(kept) < len(PASSES)
    dropped = files["dropped"]
    assert sorted(dropped["problem_id"]) == sorted(f"p{i}" for i in {*range(40)} - {*kept})
    assert set(dropped["cause"]) == {"no gradient"}
    assert manifest["left_out"] == {"no gradient": len(PASSES) - len(kept)}
    share = sum(map(gradient, (PASSES[i] for i in kept))) / len(kept)
    assert manifest["stages"][0]["groups_with_gradient"] == pytest.approx(share)


def test_a_band_keeps_what_probably_lies_in_it_and_tells_the_unknown_apart(stages):
    files, _, _ = stages("export.keep=[0.05,0.9]", "export.confidence=0.6")
    dropped = files["dropped"]
    causes = dict(zip(dropped["problem_id"], dropped["cause"], strict=True))
    # Beta(.5 + c, .5 + 16 - c): .61 of 15 passes, .77 of 0 and .2 of 1 lie outside of the band.
    assert {PASSES[int(name[1:])]: cause for name, cause in causes.items()} == {
        16: "too easy",
        15: "too easy",
        0: "too hard",
    }
    files, _, _ = stages("export.keep=[0.01,0.9]", "export.confidence=0.6")
    dropped = files["dropped"]
    never = dropped[dropped["c"] == 0]
    # Of 0 passes .43 lies below .01: neither in the band with .6, nor known to be below it.
    assert set(never["cause"]) == {"unknown hard"} and len(never) == 4


def test_a_stage_of_dead_groups_is_called_out_with_what_mends_it(stages):
    _, manifest, done = stages("export.buckets=[easy]")
    share = manifest["stages"][0]["groups_with_gradient"]
    assert share < 0.5
    told = f"{share:.0%}".replace("%", " %")
    assert (
        f"{told} of its groups of 8 would carry a gradient; export.filter=gradient" in done.stderr
    )
    _, _, done = stages("export.filter=gradient")
    assert "would carry a gradient; export" not in done.stderr


def test_a_control_is_as_big_of_the_same_sources_and_drawn_of_all(stages):
    files, _, _ = stages("export.filter=gradient", "export.control=true")
    train, control = files["combined_train"], files["combined_control_train"]
    assert train["data_source"].value_counts().to_dict() == (
        control["data_source"].value_counts().to_dict()
    )
    assert len(set(ids(control))) == len(control)
    assert {*ids(control)} - {*ids(train)}, "others than those that the filter keeps"
    again, _, _ = stages("export.filter=gradient", "export.control=true")
    assert ids(again["combined_control_train"]) == ids(control)


def test_a_share_of_solved_problems_comes_back(stages):
    files, manifest, _ = stages("export.filter=gradient", "export.replay=0.2")
    solved = [i for i in ids(files["combined_train"]) if PASSES[i] == ROLLOUTS]
    assert len(solved) == manifest["stages"][0]["replayed"] == 4  # all there are; .2 would be 6
    files, manifest, _ = stages("export.filter=gradient", "export.replay=0.1")
    assert manifest["stages"][0]["replayed"] == round(manifest["stages"][0]["train"] * 0.1)
    assert files["prompts"]["trained"].sum() == manifest["stages"][0]["train"]


def test_prompts_and_sources_are_kept_in_bounds(stages):
    files, manifest, _ = stages("export.unique=true", "export.per_source={a: 7}")
    train = files["combined_train"]
    asked = [prompt[0]["content"] for prompt in train["prompt"]]
    assert len(set(asked)) == len(asked)
    assert train["data_source"].value_counts()["a"] == 7
    assert manifest["left_out"]["same prompt"] == 3
    assert manifest["left_out"]["over export.per_source"] == len(PASSES) - 3 - len(train)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("export.per_source={c: 7}", "no problem is of the source 'c'; there are: a, b"),
        ("export.keep=[0.9,0.1]", "the lower pass rate first"),
        ("export.keep=[0.1]", "export.keep"),
    ],
)
def test_what_makes_no_sense_is_said(run, tmp_path, stages, override, told):
    stages()
    done = run("preset=curriculum", f"data.path={tmp_path}/rollouts.jsonl", override)
    assert done.returncode == 1 and told in done.stderr


def test_rewards_that_are_no_passes_have_a_gradient_where_they_differ(run, tmp_path):
    groups = {
        "graded": [0.1, 0.2, 0.3, 0.4] * 4,
        "alike": [0.2] * 16,
        "mostly": [0.2] * 12 + [0.9] * 4,
    }
    rows = [{"prompt": name, "responses": ["x"] * 16, "rewards": r} for name, r in groups.items()]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("data=rollouts", f"data.path={path}").returncode == 0
    found = pd.read_parquet(tmp_path / "out" / "problems.parquet").set_index("prompt")
    share = found["groups_with_gradient"].to_dict()
    expected = {"graded": gradient(4), "alike": gradient(16), "mostly": gradient(12)}
    assert share == pytest.approx(expected)
