"""The server's stub in a process of its own: forks of a harness with threads would be unsafe."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.generators.test_openai import Server, prompt_of

ROOT = Path(__file__).parents[2]
TAKES = 0.01  # seconds for an answer, so that there are requests under way to be killed with


class Stub(NamedTuple):
    """A server under way, and where it writes down what it is asked for."""

    url: str
    asked: Path

    def requests(self, since: int = 0) -> Counter[str]:
        """How often it was asked for the same, after so many requests."""
        return Counter(self.asked.read_text().splitlines()[since:])


@contextmanager
def served(asked: Path) -> Iterator[Stub]:
    """A stub whose requests go to the file `asked`, a line each."""
    asked.touch()
    command = [sys.executable, "-m", "tests.soak.stub", str(asked)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Stub(process.stdout.readline().strip(), asked)
        process.terminate()


def main() -> None:
    """Answer until terminated."""
    with open(sys.argv[1], "a", buffering=1) as asked:

        def write_down(handler, body, attempt):
            asked.write(json.dumps([prompt_of(body), body["seed"], body["n"]]) + "\n")
            time.sleep(TAKES)

        server = Server(write_down)
        print(server.url, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
