"""`wandb` with the arguments given, until the process that began it is gone or closes the pipe.

Run as a file, with nothing of this package: it has to be quick to start.
"""

import os
import runpy
import sys
import threading


def end_with_the_run() -> None:
    """A run that was killed has no end that `sync` could come to."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_run, daemon=True).start()
    sys.argv[0] = "wandb"
    runpy.run_module("wandb", run_name="__main__", alter_sys=True)
