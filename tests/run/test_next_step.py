"""A run ends with one command that goes on from it, and that command works."""

import json
import shlex

import pytest


@pytest.fixture
def following(run, read_result, tmp_path):
    """Run, and run what it says comes next; the overrides of each, and the last result."""

    def following(*overrides, times=1):
        asked, given = list(overrides), []
        for _ in range(times + 1):
            done = run(*asked, f"store_dir={tmp_path}/store")
            assert done.returncode == 0, done.stderr
            given.append(asked)
            last = next(line for line in done.stderr.splitlines() if line.startswith("Next: "))
            command, _, why = last.removeprefix("Next: ").partition("  # to ")
            result = read_result(tmp_path / "out")
            assert result["next"] == {"to": why, "command": command}
            html = (tmp_path / "out" / "report.html").read_text()
            assert "And now?" in html
            asked = [each for each in shlex.split(command)[2:] if not each.startswith("store_dir=")]
        return given, asked, result

    return following


@pytest.mark.slow
def test_a_measured_file_becomes_stages_worth_training_on_and_an_order(following):
    given, last, result = following(times=3)
    assert given[1] == [
        "preset=curriculum",
        "data=demo",
        "metric=mean_reward",
        "bucketer=pass_rate",
    ]
    assert given[2] == [
        *given[1],
        "export.filter=gradient",
        "export.combine=true",
        "export.control=true",
    ]
    assert given[3] == [*given[2], "sampler=frontier"]
    assert last == [*given[2], "sampler=frontier", "trainer=local"]
    assert "training" in result


def test_what_was_chosen_stays_chosen(following, tmp_path):
    rows = [
        {
            "prompt": f"it's {i}",
            "responses": ["x"] * 4,
            "rewards": [1.0] * (i % 5) + [0.0] * (4 - i % 5),
        }
        for i in range(40)
    ]
    path = tmp_path / "own data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = ["data=rollouts", f'data.path="{path}"', "bucketer=pass_rate"]
    own += ["bucketer.thresholds=[0.6,0.3]", "bucketer.names=[a,b,c]"]
    given, _, result = following(*own)
    assert "bucketer.names=[a,b,c]" in given[1] and list(result["buckets"]) == ["a", "b", "c"]


def test_buckets_of_lines_become_stages(following, tmp_path):
    row = {"prompt": "q", "response": {"choices": [{"message": {"content": "x"}}] * 2}}
    rows = [
        {**row, "prompt": f"q{i}", "reward": [{"score": i % 2}, {"score": 1}]} for i in range(30)
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, last, _ = following("preset=bucket_rollouts", f"data.path={path}", times=0)
    assert last == ["preset=prepare_stages", f"data.path={tmp_path}/out"]


def test_a_run_that_stopped_early_goes_on(following):
    given, _, _ = following("until=buckets", "bucketer=percentile")
    assert given[1] == ["bucketer=percentile"]


def test_jobs_of_a_sweep_have_their_page_and_no_next_step(run, tmp_path):
    done = run("-m", "bucketer=percentile,pass_rate", f"output_dir={tmp_path}/sweep")
    assert "Next: " not in done.stderr
