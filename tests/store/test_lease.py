"""One holder at a time, also where holders die, on this machine or another."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from curriculum.store.lease import Busy, held, sign_of_life

HOLD = """
import sys, time
from pathlib import Path
from curriculum.store.lease import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
COUNT = """
import sys, time
from pathlib import Path
from curriculum.store.lease import held
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(5):
    with held(lock):
        value = int(counter.read_text())
        time.sleep(0.002)
        counter.write_text(str(value + 1))
"""


def elsewhere(path, beats=0):
    """A holder on another machine."""
    path.write_text(json.dumps({"where": "far away", "pid": 1, "started": "1", "beats": beats}))


def test_one_at_a_time(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, tmp_path / "a.lock", counter]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert counter.read_text() == "20"
    assert len(list(tmp_path.glob("*lock*"))) <= 2


def test_a_holder_of_this_machine_that_was_killed_is_followed_at_once(tmp_path):
    path = tmp_path / "a.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    waited: list[str] = []
    killer = threading.Timer(0.5, holder.send_signal, [signal.SIGKILL])
    reaper = threading.Thread(target=holder.wait)
    killer.start()
    reaper.start()
    start = time.monotonic()
    with held(path, waited.append):
        assert 0.4 < time.monotonic() - start < 10
    reaper.join()
    holder.stdout.close()
    assert len(waited) == 1


@pytest.mark.slow
def test_a_holder_elsewhere_that_is_silent_is_taken_over(tmp_path):
    path = tmp_path / "a.lock"
    elsewhere(tmp_path / "a.lock.7")
    waited: list[str] = []
    start = time.monotonic()
    with held(path, waited.append, patience=1):
        assert time.monotonic() - start > 1
        assert (tmp_path / "a.lock.8").exists()
    assert waited == ["far away"]


def test_a_holder_elsewhere_that_shows_signs_of_life_is_waited_for(tmp_path):
    path, stop = tmp_path / "a.lock", threading.Event()
    elsewhere(tmp_path / "a.lock.0")

    def beat():
        for beats in range(8):
            time.sleep(0.2)
            elsewhere(tmp_path / "a.lock.0", beats)
        (tmp_path / "a.lock.0").write_text('{"released": true}')
        stop.set()

    thread = threading.Thread(target=beat)
    thread.start()
    with held(path, patience=1.0):
        assert stop.is_set()
    thread.join()


@pytest.mark.slow
def test_of_many_that_wait_for_a_dead_one_each_gets_its_turn(tmp_path):
    path, inside, most = tmp_path / "a.lock", [], []
    elsewhere(tmp_path / "a.lock.0")

    def work():
        with held(path, patience=0.2):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def test_a_link_that_was_made_though_it_is_said_to_exist_counts(tmp_path, monkeypatch):
    link = os.link

    def repeated(own, mine):
        link(own, mine)
        link(own, mine)

    monkeypatch.setattr(os, "link", repeated)
    start = time.monotonic()
    with held(tmp_path / "a.lock", wait=False):
        assert time.monotonic() - start < 1


@pytest.mark.parametrize("text", ["", '{"where": "far a', "[]", "null"])
def test_a_file_that_a_disk_has_torn_costs_a_second(tmp_path, text):
    path = tmp_path / "a.lock"
    (tmp_path / "a.lock.3").write_text(text)
    assert sign_of_life(path) is None
    start = time.monotonic()
    with held(path) as lease:
        assert 0.9 < time.monotonic() - start < 2.5
        assert lease.is_mine()
        assert sign_of_life(path) is not None


def test_a_full_disk_does_not_lose_the_lock(tmp_path, monkeypatch):
    """A sign of life that can't be written leaves the one before it whole."""
    path = tmp_path / "a.lock"

    def full(*_):
        raise OSError(28, "No space left on device")

    with held(path, beat=0.05) as lease:
        said = (tmp_path / "a.lock.0").read_text()
        monkeypatch.setattr(Path, "write_text", full)
        time.sleep(0.3)
        monkeypatch.undo()
        assert json.loads((tmp_path / "a.lock.0").read_text()).keys() == json.loads(said).keys()
        assert lease.is_mine()
    assert not list(tmp_path.glob(".*partial*"))


def test_what_is_raised_inside_releases_it(tmp_path):
    path = tmp_path / "a.lock"
    with pytest.raises(ValueError, match="inside"), held(path):
        raise ValueError("inside")
    start = time.monotonic()
    with held(path):
        assert time.monotonic() - start < 1


def test_a_holder_says_that_it_lives(tmp_path):
    with held(tmp_path / "a.lock", beat=0.1):
        time.sleep(0.5)
        said = json.loads((tmp_path / "a.lock.0").read_text())
        assert said["beats"] >= 2
        assert said["pid"] == os.getpid()


def test_a_holder_that_was_taken_over_can_tell(tmp_path):
    path = tmp_path / "a.lock"
    with held(path) as first:
        assert first.is_mine()
        with held(path, patience=0.2) as second:
            assert second.is_mine() and not first.is_mine()
        assert not first.is_mine()


def test_who_will_not_wait_is_told_who_holds_it(tmp_path):
    path = tmp_path / "a.lock"
    with held(path):
        start = time.monotonic()
        with pytest.raises(Busy), held(path, wait=False):
            pass
        assert time.monotonic() - start < 1


def test_who_will_not_wait_still_gives_a_holder_elsewhere_time_to_show_itself(tmp_path):
    path = tmp_path / "a.lock"
    elsewhere(tmp_path / "a.lock.0")
    with held(path, wait=False, patience=0.5):  # it showed no sign of life
        pass
    elsewhere(tmp_path / "a.lock.2")
    beat = threading.Timer(0.5, elsewhere, [tmp_path / "a.lock.2", 1])
    beat.start()
    with pytest.raises(Busy, match="far away"), held(path, wait=False, patience=5):
        pass
    beat.join()
