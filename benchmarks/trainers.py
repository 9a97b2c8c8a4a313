"""Seconds of a training step of the small model: trainer=local beside TRL's GRPOTrainer.

    python benchmarks/trainers.py

Both train the same model on the same problems with the same settings; what it takes to begin is
taken off by running some steps and then more. It wants the extras `torch` and `trl`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def seconds(trainer: str, steps: int, store: Path, folder: Path) -> float:
    """What a whole run takes."""
    command = [sys.executable, str(ROOT / "run.py"), "data=graded", "data.tasks=[reverse]"]
    command += ["data.pool=[40,40,40,40]", "model.path=reverse_50", "generator=transformers"]
    command += ["budget=none", "sampler=uniform", f"trainer={trainer}", f"trainer.steps={steps}"]
    command += ["reward=exact_match"]
    command += ["trainer.batch_size=8", "trainer.group_size=8", "trainer.eval_every=1000"]
    command += ["trainer.eval_problems=8", "trainer.save_every=1000", "report.examples=0"]
    command += [f"store_dir={store}", f"output_dir={folder}/{trainer}{steps}"]
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=40)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "store"
        seconds("local", 1, store, folder)  # makes the model
        step = {}
        for trainer in ("trl", "local"):
            few, more = (seconds(trainer, count, store, folder) for count in (steps // 4, steps))
            step[trainer] = (more - few) / (steps - steps // 4)
            print(f"{trainer:>5}: {1000 * step[trainer]:.0f} ms a step of 64 rollouts")
        print(f"trainer=local is {step['trl'] / step['local']:.1f} x as fast")


if __name__ == "__main__":
    main()
