"""A page that follows a run, or a sweep, while it is under way.

`python -m curriculum.watch RUN_OR_SWEEP` prints an address of this machine, which only its browsers
can open and only with the token in it, and serves until Ctrl-C. The page shows rollouts generated,
rounds of a budget, curves of a training, what its sampler did, and the jobs of a sweep with their
errors; where all is done, it is `report.html`. It reads files and writes none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from curriculum.core.errors import explained


def main() -> None:
    """Serve the page until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m curriculum.watch", description=__doc__)
    parser.add_argument("folder", type=Path, help="the output_dir of a run, or a sweep's folder")
    parser.add_argument("--port", type=int, default=0, help="of this machine; default: a free one")
    given = parser.parse_args()
    with explained():
        # It loads charts and tables, which --help has no need of.
        from curriculum.watch.server import serve

        serve(given.folder, given.port)


if __name__ == "__main__":
    main()
