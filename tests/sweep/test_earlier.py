"""An output folder with other results: the same goes over it, another configuration does not."""

import json

import pytest

from curriculum.core.run_result import RunResult

QUICK = ["report.examples=0"]


@pytest.fixture
def again(run, tmp_path):
    """`python run.py ...` into the same folder each time, and its standard error."""

    def again(*arguments):
        done = run(*QUICK, *arguments, f"output_dir={tmp_path}/same")
        return done.returncode, done.stderr

    return again


@pytest.fixture
def left(tmp_path):
    """As a run leaves its folder, for what is refused before any work."""

    def left(status="completed", **config):
        folder = tmp_path / "same"
        folder.mkdir()
        RunResult(status, config=config, choices={"bucketer": "adaptive"}).write(folder)
        return folder / "result.json"

    return left


def test_another_configuration_is_refused_and_told_how_it_differs(again, tmp_path, store):
    assert again("until=metrics")[0] == 0
    result = tmp_path / "same" / "result.json"
    before = result.read_text()
    status, told = again("until=metrics", "bucketer=percentile", "measure.level=0.8")
    assert status == 1
    first, second = told.strip().splitlines()
    assert first == (
        f"error: {tmp_path}/same has the results of a run of another configuration: "
        "bucketer=pass_rate (percentile now), measure.level=0.9 (0.8 now)"
    )
    assert second == ("Another output_dir leaves them where they are, overwrite=true replaces them")
    assert result.read_text() == before
    assert again("until=metrics", "measure.level=0.8", "overwrite=true")[0] == 0
    assert json.loads(result.read_text())["config"]["measure"]["level"] == 0.8


@pytest.mark.parametrize(
    "arguments",
    [
        ["until=metrics"],
        ["until=problems"],
        ["until=metrics", "reward.workers=1", "report.examples=3", "tracker=local"],
    ],
)
def test_the_same_configuration_goes_over_it(again, arguments):
    assert again("until=metrics")[0] == 0
    status, told = again(*arguments)
    assert status == 0, told


@pytest.mark.parametrize("status", ["failed", "interrupted", "missing"])
def test_what_was_not_completed_makes_place(again, left, status):
    left(status, seed=7)
    assert again("until=problems")[0] == 0


def test_many_keys_are_counted(again, left):
    left(seed=7, a=1, b={"c": 2})
    _, told = again("until=problems")
    assert "bucketer=adaptive (pass_rate now)" in told
    assert " more keys" in told


def test_stages_of_other_names_lie_beside_each_other(again, tmp_path):
    lines = [{"prompt": f"{i}+1", "response": "2", "reward": i % 2} for i in range(20)]
    (tmp_path / "easy.jsonl").write_text("\n".join(map(json.dumps, lines)))
    stages = ["preset=prepare_stages", f"data.path={tmp_path}/easy.jsonl", "export.combine=true"]
    for name in ("phase2", "phase3"):
        assert again(*stages, f"export.name={name}")[0] == 0
    for name in ("phase2", "phase3"):
        assert (tmp_path / "same" / f"{name}_train.parquet").exists()
    _, told = again(*stages, "export.name=phase3", "export.filter=best_only")
    assert "export.filter=all (best_only now)" in told


def test_files_with_their_strategy_in_their_names_lie_beside_each_other(again, left):
    path = left(bucketer={"n": 4})
    status, told = again("preset=filter_difficulty", "data=demo")
    assert status == 0, told
    assert json.loads(path.read_text())["choices"]["bucketer"] == "percentile"


def test_what_overwrite_may_be(again):
    assert "overwrite=maybe: true or false" in again("overwrite=maybe")[1]


SWEEP = ["-m", "until=problems"]


@pytest.mark.slow
def test_another_sweep_is_refused_before_its_first_job(again, tmp_path):
    assert again(*SWEEP, "seed=1,2")[0] == 0
    plan = (tmp_path / "same" / "multirun.yaml").read_text()
    status, told = again(*SWEEP, "seed=1,3", "measure.level=0.8")
    assert status == 1
    assert "same has the results of another sweep: " in told
    assert "seed=1,2 (1,3 now)" in told
    assert "measure.level=0.9 (0.8 now)" in told
    assert (tmp_path / "same" / "multirun.yaml").read_text() == plan
    assert again(*SWEEP, "seed=1,2", "reward.workers=1")[0] == 0
    assert again("-m", "until=rewards", "seed=1,2")[0] == 0
    assert again(*SWEEP, "seed=1,3", "overwrite=true")[0] == 0


@pytest.mark.slow
def test_a_run_and_a_sweep_do_not_replace_each_other(again, left, tmp_path):
    result = left()
    assert "has the results of a run\n" in again(*SWEEP, "seed=1,2")[1]
    result.unlink()
    assert again(*SWEEP, "seed=1,2")[0] == 0
    assert "has the results of a sweep\n" in again("until=problems")[1]


@pytest.mark.slow
def test_a_sweep_of_which_nothing_was_completed_makes_place(again):
    assert again(*SWEEP, "data=rollouts", "data.path=nowhere", "seed=1,2")[0] == 1
    assert again(*SWEEP, "seed=1,2")[0] == 0
