"""What reaches a server, and what a run does where there is none, or no longer."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from curriculum.config.conf import conf_dir

TRAINING = ("tracker=wandb", "trainer.steps=40", "sampler=reward_curriculum")


def lines(done):
    return [line for line in done.stderr.splitlines() if "W&B: " in line]


def begin(arguments, environment):
    """A run that is not waited for, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "run.py", *arguments],
        cwd=conf_dir().parent,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(true, seconds=120):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)
    return found


def processes_about(folder):
    """Command lines of those that have a folder among their arguments."""
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in shown.stdout.splitlines() if str(folder) in line]


@pytest.mark.slow
def test_a_server_that_answers_gets_all_of_a_run(run, tmp_path, server, online, recorded):
    done = run(*TRAINING, **online)
    assert done.returncode == 0, done.stderr
    found = recorded(tmp_path / "out")
    assert lines(done) == [f"W&B: {server.url}/me/curriculum/runs/{found.id}"]
    sent = server.history(found.id)
    steps = [row["train/step"] for row in sent if "train/reward" in row]
    assert steps == list(found.rows("reward")) == list(range(1, 41))
    assert len(sent) == len(found.history)
    assert server.exit_codes == {found.id: 0}
    assert server.runs[found.id]["jobType"] == "training"
    tables = {name.split("/")[-1].split("_")[0] for name in server.files if "table" in name}
    assert tables == {"buckets", "problems", "events"}
    key = online["WANDB_API_KEY"]
    assert key not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if key.encode() in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "online"])
@pytest.mark.parametrize("trouble", ["no key", "a wrong key", "a closed port", "a silent socket"])
def test_no_server_is_one_line_or_an_error(run, tmp_path, server, online, recorded, mode, trouble):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    if trouble == "no key":
        del online["WANDB_API_KEY"]
    elif trouble == "a wrong key":
        server.refuses = True
    else:
        online["WANDB_BASE_URL"] = f"http://127.0.0.1:{port}"
    if trouble == "a closed port":
        listener.close()
    began = time.monotonic()
    timeout = 4 if trouble == "a silent socket" else 20  # the others end by themselves
    done = run("tracker=wandb", f"tracker.mode={mode}", f"tracker.timeout={timeout}", **online)
    assert time.monotonic() - began < 30
    listener.close()
    why = "No API key configured" if trouble == "no key" else ""
    if mode == "online":
        assert done.returncode == 1
        assert f"W&B has not taken the run: {why}" in done.stderr
        assert "Traceback" not in done.stderr
        return
    assert done.returncode == 0, done.stderr
    (line,) = lines(done)
    assert f"not online ({why}" in line
    found = recorded(tmp_path / "out")
    assert line.endswith(f"wandb sync {found.folder}")
    assert found.exit_code == 0
    assert not processes_about(tmp_path)


@pytest.mark.slow
def test_a_server_that_falls_silent_costs_some_seconds_and_no_row(
    run_process, tmp_path, server, online, recorded, sync
):
    server.silent_after = 3  # the run is taken, and then nothing
    began = time.monotonic()
    done = run_process(*TRAINING, "tracker.finish_timeout=2", **online)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert server.silent.is_set()
    assert took < 30
    found = recorded(tmp_path / "out")
    assert f"W&B: {server.url}/me/curriculum/runs/{found.id}" in lines(done)[0]
    assert "not all of it has arrived" in lines(done)[1]
    assert len(server.history(found.id)) < len(found.history)
    assert not processes_about(tmp_path)

    server.silent_after = None
    server.silent.clear()
    synced = sync(lines(done)[1], **online)
    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert len(server.history(found.id)) == len(found.history)
    assert server.exit_codes == {found.id: 0}
    again = sync(lines(done)[1], **online)
    assert "No runs to sync" in again.stderr + again.stdout


@pytest.mark.slow
def test_what_was_recorded_without_a_server_is_delivered_later(
    run, tmp_path, server, online, recorded, sync
):
    done = run(*TRAINING, "tracker.mode=offline", "tracker.project=mine")
    found = recorded(tmp_path / "out")
    assert sync(done.stderr, **online).returncode == 0
    assert len(server.history(found.id)) == len(found.history)
    assert server.runs[found.id]["project"] == "mine"


@pytest.mark.slow
def test_a_run_that_is_terminated_is_the_same_run_when_it_is_begun_again(
    tmp_path, store, run, recorded, server, online
):
    folder = tmp_path / "out"
    places = [f"output_dir={folder}", f"store_dir={store}"]
    long = ["tracker=wandb", "trainer.steps=200000", "sampler=uniform"]
    first = begin([*places, *long], online | {"SLURM_JOB_ID": "1"})
    wait_until(lambda: server.history(first_id(folder)))
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 143
    first.stderr.close()
    killed = recorded(folder)
    assert killed.exit_code == 143
    assert len(killed.records["preempting"]) == 1

    again = begin([*places, *long], online)
    wait_until(lambda: len(list((folder / "wandb" / "superseded").glob("*"))) == 1)
    wait_until(lambda: first_id(folder) and begun_again(folder, killed))
    again.send_signal(signal.SIGKILL)  # without a word
    again.wait()
    again.stderr.close()
    assert recorded(folder).id == killed.id
    wait_until(lambda: not processes_about(folder))  # neither does what sends it live on

    other = run(*TRAINING, **online)
    assert other.returncode == 0, other.stderr
    ids = {path.name.split("-")[-1] for path in (folder / "wandb").glob("offline-run-*")}
    assert len(ids) == 2, "another configuration is another run"
    assert run(*TRAINING, **online).returncode == 0
    ids = {path.name.split("-")[-1] for path in (folder / "wandb").glob("offline-run-*")}
    assert len(ids) == 3, "and so is the same once more, after it had ended well"
    assert killed.id in ids


def first_id(folder):
    found = [path.name.split("-")[-1] for path in (folder / "wandb").glob("offline-run-*")]
    return found[0] if found else None


def begun_again(folder, killed):
    (found,) = (folder / "wandb").glob("offline-run-*")
    said = (folder / "wandb" / "delivery.log").read_text()
    return found.name != killed.folder.name and found.name in said and "View run" in said
