"""What is scored is on the disk soon, also where the next chunk takes long."""

import time

import numpy as np

from curriculum.run.scoring import kept
from curriculum.run.scoring.kept import EVERY, Kept


def test_a_kill_loses_five_seconds_of_finished_scores_at_most():
    assert EVERY <= 5


def test_scores_are_written_by_the_clock_and_not_by_the_next_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "EVERY", 0.01)
    with Kept(tmp_path) as running:
        running.add([0, 2], [1.0, 0.5])
        end = time.monotonic() + 10
        while not list(tmp_path.glob(kept.PARTS)) and time.monotonic() < end:
            time.sleep(0.01)
        found = np.full(3, np.nan)
        Kept(tmp_path).into(found)  # as a run does that follows one that was killed
    assert found[0] == 1 and np.isnan(found[1]) and found[2] == 0.5
    assert len(list(tmp_path.glob(kept.PARTS))) == 1
