"""What nobody can have wanted is said on the terminal and in result.json, once."""

import json

import pytest


@pytest.fixture
def measured(run, read_result, tmp_path):
    """What a run says of problems of so many passes in four rollouts each."""

    def measured(passes, *options):
        path = tmp_path / "rollouts.jsonl"
        lines = [
            json.dumps({"prompt": f"{row}?", "response": f"{k}", "reward": float(k < passed)})
            for row, passed in enumerate(passes)
            for k in range(4)
        ]
        path.write_text("\n".join(lines))
        done = run("data=rollouts", f"data.path={path}", *options)
        assert done.returncode == 0, done.stderr
        said = read_result(tmp_path / "out").get("warnings", [])
        flat = " ".join(done.stderr.split())
        assert all(flat.count(" ".join(each.split())) == 1 for each in said), done.stderr
        return said

    return measured


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ([4] * 6, "all 24 rollouts of 6 problems passed"),
        ([0] * 6, "none of 24 rollouts of 6 problems passed"),
        ([2] * 6, "all 6 problems are in the bucket"),
    ],
)
def test_what_tells_no_problem_from_another_is_said(measured, passes, said):
    (own,) = [each for each in measured(passes) if "problems" in each and "left out" not in each]
    assert own.startswith(said)


def test_what_is_as_it_should_be_is_not_warned_of(measured):
    assert measured([0, 1, 2, 3, 4, 2, 1, 3], "measure.mean_at_k=[]", "measure.pass_at_k=[]") == []


def test_many_empty_buckets_are_said_once(measured):
    said = measured([0, 1, 2, 3, 4], "bucketer=percentile", "bucketer.n=50")
    (own,) = [each for each in said if "buckets" in each]
    assert own.startswith("45 of 50 buckets are empty, and their files")


def test_empty_stages_and_a_missing_validation_set_are_said_once(measured):
    options = ["preset=curriculum", "bucketer=percentile", "bucketer.n=50"]
    said = measured([0, 1, 2, 3, 4], *options)
    assert [each for each in said if "stages" in each] == [
        "50 of 50 stages have no problem to train or val"
    ]
    (own,) = [each for each in said if "validation" in each]
    assert own.startswith("no problem is held out for validation, though export.val_fraction=0.1")
