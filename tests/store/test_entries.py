"""Stages: made once, whole or not at all, whatever runs at the same time or was killed before."""

import json
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from curriculum import data
from curriculum.core.atomic import whole
from curriculum.run.reading import load as load_stored
from curriculum.store.entries import Store
from curriculum.store.manifest import MANIFEST

MADE_OF = {"reader": "Rollouts", "files": [["a.jsonl", 12, "stamp"]]}


def write_one(folder):
    (folder / "numbers.txt").write_text("1 2 3")
    return {"numbers": 3}


def never(folder):
    raise AssertionError("made twice")


def folders(root):
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_a_stage_is_made_once(tmp_path):
    first = Store(tmp_path).entry("numbers", MADE_OF, write_one)
    second = Store(tmp_path).entry("numbers", dict(reversed(MADE_OF.items())), never)
    assert (first.reused, second.reused) == (False, True)
    assert second == first._replace(reused=True)
    assert (second.folder / "numbers.txt").read_text() == "1 2 3"
    assert second.counts == {"numbers": 3}


@pytest.mark.parametrize(
    "other",
    [
        MADE_OF | {"reader": "Verl"},
        MADE_OF | {"files": [["a.jsonl", 12, "another stamp"]]},
        MADE_OF | {"files": []},
        MADE_OF | {"knob": None},
    ],
)
def test_anything_else_is_another_stage(tmp_path, other):
    first = Store(tmp_path).entry("numbers", MADE_OF, write_one)
    second = Store(tmp_path).entry("numbers", other, write_one)
    assert not second.reused
    assert second.folder != first.folder and second.fingerprint != first.fingerprint


def test_another_name_is_another_stage(tmp_path):
    Store(tmp_path).entry("numbers", MADE_OF, write_one)
    assert not Store(tmp_path).entry("problems", MADE_OF, write_one).reused


def test_the_manifest_says_what_made_the_stage(tmp_path):
    stage = Store(tmp_path).entry("numbers", MADE_OF, write_one)
    manifest = json.loads((stage.folder / MANIFEST).read_text())
    assert manifest["made_of"] == MADE_OF
    assert manifest["counts"] == {"numbers": 3}
    assert manifest["finished"]
    assert stage.fingerprint in stage.folder.name


def test_a_failure_goes_through_and_leaves_nothing(tmp_path):
    def fail(folder):
        write_one(folder)
        raise ValueError("no numbers")

    with pytest.raises(ValueError, match="no numbers"):
        Store(tmp_path).entry("numbers", MADE_OF, fail)
    assert folders(tmp_path) == []
    assert not Store(tmp_path).entry("numbers", MADE_OF, write_one).reused


KILLED = """
import os
import sys
from pathlib import Path
from curriculum.store.entries import Store

def make(folder):
    (folder / "half.txt").write_text("1 2")
    os._exit(9)

Store(Path(sys.argv[1])).entry("numbers", {"a": 1}, make)
"""


def _overwrite(folder):
    (folder / "a.txt").write_text("other")


def _truncate(folder):
    (folder / "a.txt").write_text("on")


def _remove(folder):
    (folder / "a.txt").unlink()


def _tear_manifest(folder):
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:40])


def _of_tomorrow(folder):
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(content | {"version": 99}))


DAMAGE = {
    _overwrite: "a.txt has another content than was written",
    _truncate: "a.txt has 2 bytes, not 5",
    _remove: "a.txt No such file or directory",
    _tear_manifest: "manifest.json can't be read",
    _of_tomorrow: "manifest.json of another version of this program (99)",
}


@pytest.mark.parametrize("resumable", [False, True])
@pytest.mark.parametrize("spoil", DAMAGE)
def test_what_is_damaged_is_made_anew_and_said(tmp_path, caplog, spoil, resumable):
    store, made = Store(str(tmp_path)), []

    def make(folder):
        there = sorted(path.name for path in folder.iterdir())
        for name in sorted({"a.txt", "b.txt"} - set(there)):
            made.append(name)
            with whole(folder / name) as path:
                path.write_text(f"{name[0]}-one")
        return {"numbers": 2}

    first = store.entry("numbers", MADE_OF, make, resumable)
    assert made == ["a.txt", "b.txt"]
    spoil(first.folder)
    caplog.clear()
    again = store.entry("numbers", MADE_OF, make, resumable)
    assert DAMAGE[spoil] in caplog.text
    assert "made anew" in caplog.text
    assert not again.reused
    assert (again.folder / "b.txt").read_text() == "b-one"
    rebuilt = made[2:]
    if not resumable:
        assert rebuilt == ["a.txt", "b.txt"]
    else:  # what is whole of it is not made again
        assert rebuilt == ([] if spoil in (_tear_manifest, _of_tomorrow) else ["a.txt"])
    assert (again.folder / "a.txt").read_text() == "a-one"
    assert store.entry("numbers", MADE_OF, make, resumable).reused
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [again.folder.name]


def test_a_copy_of_a_store_is_as_good(tmp_path):
    store = Store(str(tmp_path / "one"))
    made = []

    def make(folder):
        made.append(folder)
        (folder / "a.txt").write_text("one")
        return {}

    store.entry("numbers", MADE_OF, make)
    shutil.copytree(tmp_path / "one", tmp_path / "two", copy_function=shutil.copyfile)
    assert Store(str(tmp_path / "two")).entry("numbers", MADE_OF, make).reused
    assert len(made) == 1


def test_what_a_killed_run_left_is_replaced(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == 9
    (leftover,) = folders(tmp_path)
    assert ".partial" in leftover
    stage = Store(tmp_path).entry("numbers", {"a": 1}, write_one)
    assert folders(tmp_path) == [stage.folder.name]
    assert {path.name for path in stage.folder.iterdir()} == {"numbers.txt", MANIFEST}


RACE = """
import sys
import time
from pathlib import Path
from curriculum.store.entries import Store

root = Path(sys.argv[1])

def make(folder):
    with (root / "made").open("a") as log:
        log.write("made\\n")
    time.sleep(0.5)
    (folder / "numbers.txt").write_text("1 2 3")
    return {"numbers": 3}

while not (root / "go").exists():
    time.sleep(0.01)
stage = Store(root / "store").entry("numbers", {"a": 1}, make)
print(stage.reused, stage.counts["numbers"], (stage.folder / "numbers.txt").read_text())
"""


@pytest.mark.slow
def test_runs_that_want_the_same_stage_at_the_same_moment_make_it_once(tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    (tmp_path / "go").touch()
    outputs = sorted(run.communicate(timeout=30)[0] for run in runs)
    assert outputs == ["False 3 1 2 3\n", "True 3 1 2 3\n", "True 3 1 2 3\n"]
    assert (tmp_path / "made").read_text() == "made\n"


STOPPED = """
import logging
import os
import signal
import sys
from pathlib import Path
from curriculum.core.atomic import whole
from curriculum.store.entries import Store

def make(folder):
    for number in range(4):
        if number == 2:
            print("stopping", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
            if sys.argv[3]:
                folder.mkdir(exist_ok=True)
        with whole(folder / f"{number}.txt") as path:
            path.write_text("first")
    return {"files": 4}

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
stage = Store(sys.argv[1]).entry("numbers", {"a": 1}, make, resumable=sys.argv[2] == "True")
print(stage.reused, stage.folder)
"""


@pytest.mark.slow
@pytest.mark.parametrize("goes_on", ["while the other makes it", "when the other has made it"])
@pytest.mark.parametrize(("resumable", "stubborn"), [(True, ""), (False, ""), (False, "stubborn")])
def test_a_run_that_is_stopped_and_goes_on_mixes_nothing_in(tmp_path, goes_on, resumable, stubborn):
    command = [sys.executable, "-c", STOPPED, str(tmp_path), str(resumable), stubborn]
    stopped = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = stopped.stdout
    assert said is not None and said.readline() == "stopping\n"

    def make(folder):
        if goes_on == "while the other makes it":
            stopped.send_signal(signal.SIGCONT)
            assert "took over" in said.readline()
            assert "waiting" in said.readline()
        for number in range(4):
            if not (folder / f"{number}.txt").exists():
                (folder / f"{number}.txt").write_text("second")
        return {"files": 4}

    stage = Store(str(tmp_path), patience=1).entry("numbers", {"a": 1}, make, resumable)
    stopped.send_signal(signal.SIGCONT)
    output, _ = stopped.communicate(timeout=30)
    assert output.splitlines()[-1] == f"True {stage.folder}"
    assert not stage.reused and stage.counts == {"files": 4}
    texts = ["first", "first", "second", "second"] if resumable else ["second"] * 4
    assert [(stage.folder / f"{number}.txt").read_text() for number in range(4)] == texts
    assert len(list(stage.folder.iterdir())) == 5
    assert folders(tmp_path) == [stage.folder.name]


def test_a_run_that_was_taken_over_makes_it_where_its_successor_fails(tmp_path):
    begun, failed, outcome = threading.Event(), threading.Event(), []

    def first(folder):
        begun.set()
        assert failed.wait(30)
        return write_one(folder)

    def fail(folder):
        raise ValueError("no numbers")

    def run():
        outcome.append(Store(str(tmp_path)).entry("numbers", {"a": 1}, first))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    with pytest.raises(ValueError, match="no numbers"):
        Store(str(tmp_path), patience=0.2).entry("numbers", {"a": 1}, fail)
    failed.set()
    thread.join()
    (stage,) = outcome
    assert not stage.reused and (stage.folder / "numbers.txt").read_text() == "1 2 3"
    assert folders(tmp_path) == [stage.folder.name]


LINE = '{"prompt": "1 + 1?", "response": "2", "answer": "2", "truth": "two"}\n'


@pytest.fixture
def load(tmp_path):
    """Read a file through the store, with whatever is other than usual."""
    path = tmp_path / "a.jsonl"
    path.write_text(LINE)

    def load(cls=data.Rollouts, content=LINE, max_rejected=0, **keys):
        if content != path.read_text():
            path.write_text(content)
        keys = {"id_key": "id", "prompt_key": "prompt", "reward_fn_key": "answer"} | keys
        store = Store(tmp_path / "store")
        return load_stored(store, "problems", cls(str(path), **keys), max_rejected)

    return load


def test_the_same_files_are_read_once(load):
    first, second = load(), load(max_rejected=5)
    assert (first.entry.reused, second.entry.reused) == (False, True)
    assert second.problems.table.equals(first.problems.table)
    assert second.rollouts.equals(first.rollouts)
    assert second.rollouts.schema.equals(first.rollouts.schema)


@pytest.mark.parametrize(
    "change",
    [
        {"content": LINE.replace('"2"', '"3"')},
        {"content": LINE * 2},
        {"reward_fn_key": "truth"},
        {"id_key": "truth"},
        {"cls": data.Verl},
    ],
    ids=["bytes", "size", "reward_fn_key", "id_key", "reader"],
)
def test_other_bytes_or_another_knob_are_read_anew(load, change):
    first = load()
    second = load(**change)
    assert not second.entry.reused
    assert second.entry.folder != first.entry.folder


def test_stored_problems_without_rollouts_have_no_index(load):
    for reused in (False, True):
        stored = load(cls=data.Verl)
        assert stored.entry.reused == reused
        assert stored.rollouts is None
        rows = {"rows": 1, "used_rows": 1, "rejected_rows": 0}
        rows |= {"repeated_rows": 0, "rows_of_other_steps": 0, "rows_of_failed_calls": 0}
        rows |= {"failed_calls": 0}
        assert stored.entry.counts == {"problems": 1, "rollouts": 0, **rows}
