"""Many runs, one table: bucket sizes, edges, and how far the strategies agree.

A sweep prints it when it ends. `python -m curriculum.compare SWEEP_DIR` prints it at any time, also
where jobs failed, are still running or were killed, and exits with 1 unless all have completed.
`python -m curriculum.compare BEFORE AFTER` takes two runs' folders instead and shows which problems
moved from bucket to bucket.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from curriculum.core.errors import explained


def main() -> None:
    """Print the table of a sweep, or who moved between two runs."""
    parser = argparse.ArgumentParser(prog="python -m curriculum.compare", description=__doc__)
    parser.add_argument("folder", type=Path, help="a sweep's folder, or that of the first run")
    parser.add_argument("after", type=Path, nargs="?", help="the folder of the second run")
    parser.add_argument("--output", type=Path, help="parquet for a row a problem, with two runs")
    given = parser.parse_args()
    if given.output is not None and given.after is None:
        parser.error("--output goes with two runs")

    # They load pandas and charts, which --help has no need of.
    from curriculum.compare.sweep import compare
    from curriculum.compare.transitions import save, show, transitions

    with explained():
        if given.after is None:
            sys.exit(1 if compare(given.folder) else 0)
        found = transitions(given.folder, given.after)
        show(given.folder, given.after, found)
        if given.output is not None:
            save(found, given.output)


if __name__ == "__main__":
    main()
