"""Runs a command that must not outlive its parent: `python -m curriculum.generators.leash COMMAND`.

Whoever starts it holds its standard input open; when that closes, also because the parent was
killed, the command and everything it has started end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import Thread

PATIENCE = 15.0  # seconds to end by itself


def main() -> int:
    """Run the command; its exit code."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    Thread(target=_end_with_parent, args=(command.pid,), daemon=True).start()
    return command.wait()


def _end_with_parent(group: int) -> None:
    sys.stdin.buffer.read()
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        time.sleep(PATIENCE)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
