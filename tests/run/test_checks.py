"""Sources that settings name are held against the data before anything is made or scored."""

import json

import pandas as pd
import pytest

GUARDS = ("sampler=thompson", "trainer.batch_size=4", "trainer.steps=2", "trainer.plot=false")


@pytest.fixture
def problems(tmp_path):
    """Twelve problems of two sources, and a reward that leaves a file where it is called."""
    rows = [
        {"prompt": f"q {i}", "data_source": source, "responses": ["r"] * 2, "rewards": [0, i % 2]}
        for i, source in enumerate(["math:easy", "code"] * 6)
    ]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "reward.py").write_text(
        f"import pathlib\n\n\ndef compute_score(*_, **__):\n"
        f"    pathlib.Path({str(tmp_path / 'called')!r}).touch()\n    return 1.0\n"
    )
    return ["data=rollouts", f"data.path={path}"]


@pytest.mark.parametrize(
    ("named", "key"),
    [
        (("sampler=thompson", r"sampler.quotas={math\:easy: 1, cod: 1}"), "sampler.quotas"),
        (("sampler=multi_source", "sampler.source_weights={cod: 1}"), "sampler.source_weights"),
        (
            ("sampler=reward_curriculum", "sampler.complexity_source=cod"),
            "sampler.complexity_source",
        ),
        (("sampler=thompson", "trainer.stuck=[cod]"), "trainer.stuck"),
        (("preset=curriculum", "export.per_source={cod: 1}"), "export.per_source"),
    ],
)
def test_one_that_is_not_there_is_an_error_before_any_work(run, problems, tmp_path, named, key):
    score = ("reward=function", f"reward.path={tmp_path}/reward.py")
    done = run(*problems, *named, *score, "reward.needs_ground_truth=false")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"error: {key}: no problem is of the source 'cod'; did you mean code?; "
        "there are: math:easy, code"
    )
    assert not (tmp_path / "called").exists()


def test_a_name_with_a_colon_has_a_quota(run, problems, tmp_path):
    done = run(*problems, *GUARDS, r"sampler.quotas={math\:easy: 1, code: 0}")
    assert done.returncode == 0, done.stderr
    steps = pd.read_parquet(tmp_path / "out" / "metrics.parquet").iloc[1:]
    assert steps["source/math:easy"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("quotas", "said"),
    [
        ("{math:easy: 1}", r"a : within a name is written \:"),
        ('{"math:easy": 1}', r"has no quotes, and a : in it is written \:"),
    ],
)
def test_how_to_write_it_is_said(run, problems, quotas, said):
    done = run(*problems, *GUARDS, f"sampler.quotas={quotas}")
    assert done.returncode == 1
    assert said in done.stderr
