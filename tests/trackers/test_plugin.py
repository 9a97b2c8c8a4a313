"""A tracker from another distribution."""

import pytest

METADATA = "Metadata-Version: 2.1\nName: to-file\nVersion: 1.0\n"
CODE = """
from dataclasses import dataclass
from pathlib import Path


@dataclass
class ToFile:
    "A line for each thing it is told."
    path: str

    def start(self, about):
        self.write(f"start {about.step} {about.name}")
        return self

    def write(self, line):
        with Path(self.path).open("a") as file:
            print(line, file=file)

    def buckets(self, outcome):
        self.write(f"buckets {len(outcome.measured)}")

    def log(self, step, values):
        self.write(f"log {step}")

    def event(self, step, event):
        self.write(f"event {event.kind}")

    def trained(self):
        self.write("trained")

    def finish(self, result, error):
        self.write(f"finish {error}")

    def compare(self, sweep):
        self.write(f"compare {sweep.name}")
"""


@pytest.mark.slow
def test_a_tracker_is_told_of_everything_in_its_order_beside_the_local_files(run_process, tmp_path):
    (tmp_path / "to_file.py").write_text(CODE)
    info = tmp_path / "to_file-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text("[curriculum.tracker]\nto_file = to_file:ToFile\n")
    told = tmp_path / "told.txt"
    chosen = ("tracker=to_file", f"tracker.path={told}", "trainer.control=false")
    done = run_process("-m", *chosen, "trainer.steps=2", "seed=1,2", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    each = ["buckets 1008", "event dry_run", "log 0", "log 1", "log 2", "trained", "finish None"]
    starts = [f"start training seed={seed}" for seed in (1, 2)]
    assert told.read_text().splitlines() == [starts[0], *each, starts[1], *each, "compare out"]
    assert (tmp_path / "out" / "1" / "metrics.parquet").exists()
    assert (tmp_path / "out" / "1" / "events.jsonl").exists()
