"""Many runs, one table: bucket sizes, edges, and how far the strategies agree.

A sweep prints it when it ends. `python -m curriculum.compare SWEEP_DIR` prints it at any time, also
where jobs failed, are still running or were killed, and exits with 1 unless all have completed.
`python -m curriculum.compare BEFORE AFTER` takes two runs' folders instead, of two models or
checkpoints on the same problems: what has changed, and how much of it luck alone would change.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from curriculum.core.errors import explained


def main() -> None:
    """Print the table of a sweep, or what has changed between two runs."""
    parser = argparse.ArgumentParser(prog="python -m curriculum.compare", description=__doc__)
    parser.add_argument("folder", type=Path, help="a sweep's folder, or that of the first run")
    parser.add_argument("after", type=Path, nargs="?", help="the folder of the second run")
    parser.add_argument(
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="with two runs, and may be given several times: .parquet or .csv (a row a problem), "
        ".tex (a table by source), .json (all numbers), .html (a page)",
    )
    given = parser.parse_args()
    if given.output and given.after is None:
        parser.error("--output goes with two runs")

    # They load pandas and charts, which --help has no need of.
    from curriculum.compare.change.files import save
    from curriculum.compare.change.runs import join
    from curriculum.compare.change.show import show
    from curriculum.compare.change.summary import change
    from curriculum.compare.sweep import compare

    with explained():
        if given.after is None:
            sys.exit(1 if compare(given.folder) else 0)
        found = change(join(given.folder, given.after))
        show(found)
        for path in given.output:
            save(found, path)


if __name__ == "__main__":
    main()
