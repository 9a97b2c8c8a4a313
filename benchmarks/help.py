"""What `python run.py --help` costs, in CPU seconds, beside a Hydra application of ten lines.

    python benchmarks/help.py

Starting Python and loading Hydra is in both. The median of some runs, each in turn.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 9
MINIMAL = """
import hydra
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=None)
def main(cfg: DictConfig) -> None:
    print(cfg)


main()
"""


def seconds(script: Path) -> float:
    """CPU seconds, the user's, of a script's --help."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, str(script), "--help"], check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Print both and their ratio."""
    ours = Path(__file__).parents[1] / "run.py"
    with tempfile.TemporaryDirectory() as folder:
        minimal = Path(folder) / "minimal.py"
        minimal.write_text(MINIMAL)
        pairs = [(seconds(ours), seconds(minimal)) for _ in range(RUNS)]
    own, least = map(statistics.median, zip(*pairs, strict=True))
    print(f"run.py {own:.2f} s, minimal {least:.2f} s: {own / least:.2f} x")


if __name__ == "__main__":
    main()
