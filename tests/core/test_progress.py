"""How far work is, in a terminal and without one."""

import logging
import os
import subprocess
import sys
import time

from curriculum.core.progress import progress

WORK = """
import logging, time
from curriculum.core.progress import progress
from curriculum.core.terminal import StandardError
logging.basicConfig(level="INFO", format="%(message)s", handlers=[StandardError()])
with progress("generating", "rollouts", 400, 100) as advance:
    for _ in range(3):
        time.sleep(0.2)
        advance(100, tokens=5000)
        logging.info("a line of the log")
"""


def test_a_terminal_shows_a_bar_and_whole_lines_above_it():
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", WORK]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "400/400" in text and "rollouts/s" in text and "tokens/s" in text
    lines = [line.split("\x1b[2K")[-1].strip() for line in text.splitlines()]
    assert lines.count("a line of the log") == 3


def test_elsewhere_a_line_says_what_is_left(monkeypatch, caplog):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO), progress("scoring", "rollouts", 10_000, 1000) as advance:
        for _ in range(5):
            now[0] += 20.0
            advance(1000)
    # 2,000 in 40 s: 7,000 are left, which takes 140 s; then 4,000 in 80 s.
    assert caplog.messages == [
        "scoring: 3,000 of 10,000 rollouts, 50 rollouts/s; 0:02:20 left",
        "scoring: 5,000 of 10,000 rollouts, 50 rollouts/s; 0:01:40 left",
    ]


def test_what_takes_seconds_says_nothing(caplog):
    with caplog.at_level(logging.INFO), progress("scoring", "rollouts", 3) as advance:
        advance(3)
    assert caplog.messages == []
