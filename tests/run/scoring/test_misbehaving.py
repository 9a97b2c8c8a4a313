"""Scorers that do something to their process, their parent, their terminal or their machine."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from curriculum.core.memory import count_memory
from curriculum.core.records import Sample
from curriculum.rewards import Function
from curriculum.run.scoring.workers import score_chunks, workers_for

FUNCTION = """
import logging
import os
import signal
import subprocess
import sys
import threading
import time

LEFT = []
HOME = os.getcwd()


class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")


def deeper(depth):
    return deeper(depth + 1)


MISDEEDS = {
    "recursion": lambda: deeper(0),
    "abort": os.abort,
    "kill own group": lambda: os.killpg(0, signal.SIGKILL),
    "memory": lambda: bytearray(10**10),
    "child that scores too": os.fork,
    "child that stays": lambda: subprocess.Popen(["sleep", "60"]),
    "child that holds everything": lambda: os.fork() or time.sleep(60),
    "kill parent": lambda: os.kill(os.getppid(), signal.SIGKILL) or time.sleep(5),
    "terminate parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "interrupt parent": lambda: os.kill(os.getppid(), signal.SIGINT),
    "thread that stays": lambda: threading.Thread(target=time.sleep, args=(60,)).start(),
    "thread that raises": lambda: threading.Thread(target=deeper, args=(0,)).start(),
    "close streams": lambda: [os.close(stream) for stream in (0, 1, 2)],
    "close stdout": lambda: sys.stdout.close(),
    "alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 0.05),
    "alarm that rings": lambda: signal.setitimer(signal.ITIMER_REAL, 0.05) and 0 or time.sleep(5),
    "folder": lambda: os.chdir("/"),
    "mask": lambda: os.umask(0o777),
    "leak": lambda: LEFT.append(bytearray(9 * 10**8)),
}


def compute_score(data_source, solution_str, ground_truth, extra_info):
    if solution_str == "interrupt":
        raise KeyboardInterrupt
    if solution_str == "mute":
        raise Mute
    if solution_str == "half a character":
        raise ValueError("\\ud800")
    if solution_str == "chatter":
        logging.warning("a warning")
        print("one", "two", sep="\\n")
        os.write(2, b"three\\n")
        raise ValueError("wrong")
    if solution_str == "last words":
        print("it was nice")
        os._exit(7)
    if solution_str == "flood":
        line = "x" * 4096
        while True:
            print(line)
    if solution_str.startswith("start "):
        child = subprocess.Popen(["sleep", "60"])
        open(solution_str.removeprefix("start "), "w").write(str(child.pid))
    MISDEEDS.get(solution_str, lambda: None)()
    assert os.getcwd() == HOME or solution_str == "folder"
    assert os.umask(0o022) == 0o022 or solution_str == "mask"
    if not solution_str.startswith("close"):
        print("still here", flush=True)
    return float(solution_str == "2")
"""
FAILURES = {
    "interrupt": "KeyboardInterrupt",
    "mute": "Mute: (its message raises an error itself)",
    "half a character": "ValueError: \\ud800",
    "chatter": "ValueError: wrong; printed last: one | two | three",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "abort": "the scorer's process died (signal 6, Aborted)",
    "kill own group": "the scorer's process died (signal 9, Killed)",
    "last words": "the scorer's process died (exit code 7); printed last: it was nice",
    "kill parent": "the scorer has ended the process above its own",
    "alarm that rings": "the scorer's process died (signal 14, Alarm clock)",
    "memory": "MemoryError: it wants more memory than reward.memory_gb=2",
}
HARMLESS = (
    *("child that scores too", "child that stays", "child that holds everything"),
    *("terminate parent", "interrupt parent", "thread that stays", "thread that raises"),
    *("close streams", "close stdout", "alarm", "folder", "mask", "leak", "leak", "leak"),
)


@pytest.fixture(scope="module")
def score(tmp_path_factory):
    """Rewards and causes of some responses."""
    path = tmp_path_factory.mktemp("scorer") / "reward.py"
    path.write_text(FUNCTION)

    def score(*responses, time_limit=10.0, memory_gb=2.0):
        samples = [Sample("s", "p", text, "2", None) for text in responses]
        answers: dict[int, float | str] = {}
        os.umask(0o022)
        with workers_for(Function(str(path)), 1, time_limit, memory_gb) as workers:
            for chunk, answer in score_chunks(workers, enumerate(samples)):
                rewards: list[Any] = answer.rewards or [answer.cause] * len(chunk)
                answers |= zip([row for row, _ in chunk], rewards, strict=True)
        return [answers[row] for row in range(len(responses))]

    return score


@pytest.mark.slow
def test_every_misdeed_costs_its_own_rollout_and_no_other(score, capfd):
    responses = [text for bad in (*FAILURES, *HARMLESS) for text in (bad, "2")]
    found = score(*responses)
    assert found[1::2] == [1.0] * (len(FAILURES) + len(HARMLESS))
    of_each = dict(zip(responses[::2], found[::2], strict=True))
    assert {bad: of_each[bad].partition(" (or")[0] for bad in FAILURES} == FAILURES
    assert {bad: of_each[bad] for bad in HARMLESS} == dict.fromkeys(HARMLESS, 0.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_flood_is_read_and_its_end_kept(score, capfd):
    first, flooded, last = score("2", "flood", "2", time_limit=1.0)
    assert (first, last) == (1.0, 1.0)
    cause, _, printed = flooded.partition("; printed last: ")
    assert cause == "no reward within 1 s (reward.time_limit)"
    assert len(printed) == 300 and set(printed) <= {"x", " ", "|"}
    assert capfd.readouterr() == ("", "")


def test_what_a_scorer_has_started_ends_with_the_scoring(score, tmp_path):
    assert score(f"start {tmp_path}/pid") == [0.0]
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 5  # what has no parent left is gone a moment later
    while _lives(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def _lives(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_memory_of_a_job_is_that_of_its_own_group_or_of_those_above(tmp_path):
    (tmp_path / "own").write_text("0::/slurm/job\n")
    (tmp_path / "groups/slurm/job").mkdir(parents=True)
    machine = count_memory(tmp_path / "nothing", tmp_path / "nothing")
    assert machine > 0.5
    (tmp_path / "groups/slurm/job/memory.max").write_text("max\n")
    assert count_memory(tmp_path / "groups", tmp_path / "own") == machine
    (tmp_path / "groups/slurm/memory.max").write_text("300000000\n")
    assert count_memory(tmp_path / "groups", tmp_path / "own") == 0.3
