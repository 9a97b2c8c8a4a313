"""What a page says of a run under way, from files that are whole, half, old or not there."""

import json
import logging
import os
import time

import numpy as np
import pytest

from curriculum.core.progress import progress
from curriculum.core.prompts import Event
from curriculum.trainers.parts.held_out import told
from curriculum.watch import sweep
from curriculum.watch.charts import of_course
from curriculum.watch.run import look, view

VERL = "verl/curriculum/metrics.jsonl"


def level_up(step: int) -> Event:
    values = {"level": "hard", "threshold": 0.5, "reward": 0.625}
    return Event("level_up", f"level up at {step}", values)


def measured(step: int, rate: float) -> None:
    found = {"mean_pass_rate": rate, "held_out/bucket/easy": 0.75}
    logging.getLogger("curriculum.trainers.parts.local_loop").info(told(step, found))


def steps_of(run):
    """What is known of the steps of a run's training."""
    steps = look(run.folder).course.steps
    assert steps is not None
    return steps


def test_a_training_is_followed_from_its_last_checkpoint_and_the_log(begin):
    with begin() as run:
        run.journal.begun()
        run.journal.step(0, {"mean_pass_rate": 0.125})
        measured(0, 0.125)
        for step in range(1, 5):
            run.train(step, reward=step / 8)
        run.journal.event(4, level_up(4))
        run.save(4)
        run.train(5, reward=0.75)  # in no checkpoint
        measured(8, 0.5)
        seen = look(run.folder)
        assert (seen.standing.status, seen.course.last) == ("running", 8)
        assert seen.course.rate == (8, 0.5)
        steps = steps_of(run)
        assert steps["step"].tolist() == [0, 1, 2, 3, 4, 8]
        # 16 prompts of 4 rollouts each.
        assert steps["rollouts"].tolist() == [0, 64, 128, 192, 256, 512]
        assert steps["reward"][1:5].tolist() == [0.125, 0.25, 0.375, 0.5]
        np.testing.assert_array_equal(steps["bucket/easy"], [np.nan, *[0.25] * 4, np.nan])
        assert [each["at"] for each in steps.level_ups()] == [256]
        figures = of_course(steps, ["easy", "hard"])
        assert [each.name for each in figures] == ["bucket_mix", "learning", "reward"]
        assert [(bar.work, bar.done, bar.total) for bar in seen.bars] == [("training", 8, 4)]
        shown = view(run.folder)
        assert shown.shown["tiles"] == {"mean pass rate, step 8": "0.500", "level-ups": "1"}
        assert "step 8: held-out pass rate 0.500" in shown.shown["log"]
        assert not shown.done


def test_before_any_checkpoint_the_log_alone_is_drawn_over_steps(begin):
    with begin() as run:
        measured(0, 0.125)
        assert of_course(steps_of(run), []) == []  # a point is no line
        measured(10, 0.25)
        steps = steps_of(run)
        assert "rollouts" not in steps and steps.x == ("step", "batches")
        assert [each.name for each in of_course(steps, [])] == ["learning"]


def test_the_log_tells_how_fast_it_is_until_the_work_is_done(begin, monkeypatch):
    with begin() as run:
        now = [100.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        with progress("scoring", "rollouts", 10_000, 1000) as advance:
            now[0] += 40
            advance(2000)
        (bar,) = look(run.folder).bars
        assert (bar.work, bar.amount) == ("scoring", "3,000 of 10,000 rollouts")
        assert bar.note.startswith("50 rollouts/s, 0:02:20 left, said at ")
        logging.getLogger("curriculum.store.entries").info("%s: %s %s", "rewards", "made", "x")
        assert look(run.folder).bars == []


def test_torn_lines_are_left_until_they_are_whole(begin):
    with begin() as run:
        for step in (1, 2):
            run.journal.event(step, Event("note", f"event {step}", {}))
        events, log = run.folder / "events.jsonl", run.folder / "run.log"
        whole = events.read_text()
        events.write_text(whole + '{"step": 30, "event": "note", "te')
        time_of = log.read_text()[:23]
        half = (
            f"{time_of} INFO curriculum.trainers.parts.local_loop: step 10: held-out pass rate 0.1"
        )
        with log.open("a") as file:
            file.write(half)
        seen = look(run.folder)
        assert [each["text"] for each in seen.course.events] == ["event 1", "event 2"]
        assert seen.course.rate is None
        assert seen.log.tail[-1] == half  # shown, and not believed
        with log.open("a") as file:
            file.write("25 (easy 0.100)\n")
        assert look(run.folder).course.rate == (10, 0.125)


@pytest.mark.parametrize("text", ["", "PAR1", '{"steps": {"1"', "[]", "\x00"])
@pytest.mark.parametrize(
    "name", ["metrics.parquet", "buckets.json", "verl/curriculum/metrics.jsonl"]
)
def test_half_a_file_is_none(begin, name, text):
    with begin() as run:
        path = run.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        assert look(run.folder).course.steps is None
        assert view(run.folder).charts == {}


@pytest.mark.parametrize("text", ["", '{"status": "comp', "[]", "{}"])
def test_half_a_result_is_no_result(tmp_path, finished, text):
    (tmp_path / ".hydra").mkdir()
    (tmp_path / "result.json").write_text(text)
    shown = view(tmp_path)
    assert not shown.done and shown.shown["status"] in ("unreadable", "starting")


@pytest.mark.parametrize("name", ["hydra.yaml", "config.yaml", "overrides.yaml"])
@pytest.mark.parametrize("text", ["", "{a: [", "- x"])
def test_a_configuration_that_is_being_written_is_waited_for(begin, name, text):
    with begin() as run:
        (run.folder / ".hydra" / name).write_text(text)
        assert view(run.folder).shown["status"] == "running"


def test_what_an_earlier_run_left_in_the_folder_does_not_count(begin):
    with begin() as run:
        measured(90, 0.75)
        run.journal.event(80, level_up(80))
        run.train(1)
        run.tracker.trained()
        later = time.time() + 5
        for path in (run.folder / ".hydra").iterdir():
            os.utime(path, (later, later))
        assert look(run.folder).course == (None, [])
        log = run.folder / "run.log"
        lines = log.read_text()
        # A clock two hours off, as in a container of another time zone.
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(later + 7206))
        who = "curriculum.trainers.parts.local_loop"
        log.write_text(f"{lines}{clock},500 INFO {who}: step 5: held-out pass rate 0.250 (x 0.1)\n")
        os.utime(log, (later + 6, later + 6))
        seen = look(run.folder)
        assert seen.course.rate == (5, 0.25) and len(seen.log.tail) == 1


def test_a_run_that_was_killed_says_how_far_it_came(begin):
    with begin() as run:
        measured(10, 0.25)
        lock = run.folder / ".lock.0"
        said = json.loads(lock.read_text())
    lock.write_text(json.dumps(said | {"pid": 2**22 + 1}))  # of nobody
    seen = look(run.folder)
    assert seen.standing.status == "unfinished" and "killed" in seen.standing.explanation
    assert [bar.done for bar in seen.bars] == [10] and not seen.done


def test_a_run_that_has_just_been_started_is_starting(begin):
    with begin() as run:
        pass
    for path in run.folder.glob(".lock.*"):
        path.unlink()
    assert look(run.folder).standing == ("starting", "")


def test_a_training_in_verl_is_followed_from_what_it_writes(begin):
    from curriculum.integrations.verl.log import Log

    with begin("verl") as run:
        log = Log(str(run.folder / "verl"))
        for batch in (1, 2, 3):
            log.metrics(batch, {"sampler/groups": 16.0, "sampler/reward": batch / 4})
        with (run.folder / "verl" / "curriculum" / "metrics.jsonl").open("a") as file:
            file.write('{"batch": 4, "sampler/gro')
        steps = steps_of(run)
        assert steps["reward"].tolist() == [0.25, 0.5, 0.75]
        # 16 groups of 8 rollouts, the configuration's.
        assert steps["rollouts"].tolist() == [128, 256, 384]


def test_a_failed_run_shows_its_own_page(visit, run, tmp_path):
    assert run("data=rollouts", f"data.path={tmp_path}/none.parquet").returncode == 1
    visitor = visit(tmp_path / "out")
    assert visitor.get().headers["Location"] == "report.html"
    assert "This run failed" in visitor.get("report.html").body


@pytest.mark.parametrize("text", ["", "hydra: {", "a: b"])
def test_a_plan_of_a_sweep_that_is_being_written_is_waited_for(begin, text):
    with begin() as run:
        (run.folder.parent / "multirun.yaml").write_text(text)
        (row,) = sweep.view(run.folder.parent).shown["jobs"]
        assert (row["job"], row["status"]) == ("begun", "running")
