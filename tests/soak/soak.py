"""Runs that are killed, and the same command after each: `python -m tests.soak.soak --kills 200`.

Of every journey there is one run that nothing disturbs. Another is killed at a random change of the
disk or a random time, sometimes more than once, and its command given again to its end. It must
leave the same files, none that is partial, and have asked the server for no more again than was
under way.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tests.soak import doomed, trees
from tests.soak.journeys import CONCURRENCY, JOURNEYS, Journey, write_inputs
from tests.soak.stub import Stub, served

BY_THE_CLOCK = 0.25  # share of the kills
AGAIN = 0.2  # share of the runs that are killed once more on their way
# What a run imports before it forks, so that two hundred runs don't import it four hundred times.
WARM = (
    *("numpy", "pandas", "pyarrow.parquet", "pyarrow.dataset", "hydra", "aiohttp", "tenacity"),
    *("curriculum.run.job", "curriculum.compare.sweep_end", "curriculum.report.page"),
)


class Undisturbed(NamedTuple):
    """A run that ended well: what it left, and what it took."""

    contents: dict[str, Any]
    changes: int  # of the disk
    seconds: float


class Harness:
    """Kills runs below a folder, in an order that the seed decides."""

    def __init__(self, folder: Path, stub: Stub, seed: int) -> None:
        self._folder, self._stub, self._rng = folder, stub, random.Random(seed)
        self.kills = 0  # that met a run before its end
        self._undisturbed: dict[str, Undisturbed] = {}
        self._inputs = folder / "inputs"
        write_inputs(self._inputs)

    def kill(self, journey: Journey) -> tuple[str, list[str]]:
        """Kill a run and give its command again: where it was killed, and what was wrong then."""
        expected = self._of(journey)
        folder = self._empty("killed")
        asked = self._stub.requests().total()
        killed: list[str] = []
        while not killed or self._rng.random() < AGAIN:
            at, after = self._moment(expected)
            ended = doomed.run(self._command(journey), folder, at, after)
            self.kills += ended.code == -signal.SIGKILL  # else it was faster than the clock
            killed.append(f"before change {at}" if after is None else f"after {after:.2f} s")
            if ended.code not in (-signal.SIGKILL, 0):
                return ", ".join(killed), [f"the killed run ended with {ended.code}"]
        ended = doomed.run(self._command(journey), folder)
        if ended.code:
            last = (folder / "said.txt").read_text().splitlines()[-3:]
            return ", ".join(killed), [f"ended with {ended.code}: {' | '.join(last)}"]
        wrong = trees.differences(trees.contents(folder), expected.contents)
        wrong += [f"{name}: left behind" for name in trees.partial_files(folder)]
        again = sum(n - 1 for n in self._stub.requests(asked).values())
        if again > CONCURRENCY * len(killed):
            wrong.append(f"{again} requests asked again, {CONCURRENCY} at once were under way")
        return ", ".join(killed), wrong

    def _of(self, journey: Journey) -> Undisturbed:
        if journey.name not in self._undisturbed:
            folder = self._empty("undisturbed")
            ended = doomed.run(self._command(journey), folder)
            assert ended.code == 0, (folder / "said.txt").read_text()
            found = Undisturbed(trees.contents(folder), ended.changes, ended.seconds)
            self._undisturbed[journey.name] = found
        return self._undisturbed[journey.name]

    def _moment(self, of: Undisturbed) -> tuple[int, float | None]:
        if self._rng.random() < BY_THE_CLOCK:
            return doomed.NEVER, self._rng.uniform(0, of.seconds)
        return self._rng.randint(1, of.changes), None

    def _command(self, journey: Journey) -> list[str]:
        return journey.command(self._inputs, self._stub.url)

    def _empty(self, name: str) -> Path:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


def soak(
    kills: int,
    seed: int,
    folder: Path,
    seconds: float,
    journeys: Sequence[Journey] = JOURNEYS,
    keep: Path | None = None,
) -> tuple[int, Counter[str], list[str]]:
    """So many runs to kill, or as many as there is time for.

    Returns the kills, the runs of each journey, and what was wrong. Some are killed more than
    once, and a few end before the clock kills them.

    Args:
        seconds: after which no kill is begun.
        keep: a folder for what runs left that went wrong.
    """
    for module in WARM:
        import_module(module)
    done, wrong, end = Counter[str](), [], time.monotonic() + seconds
    with served(folder / "asked.txt") as stub:
        harness = Harness(folder, stub, seed)
        for number in range(kills):
            if time.monotonic() > end:
                break
            journey = journeys[number % len(journeys)]
            killed, found = harness.kill(journey)
            done[journey.name] += 1
            wrong += [f"{journey.name}, killed {killed}: {each}" for each in found]
            if found and keep:
                shutil.copytree(folder / "killed", keep / f"{number}-{journey.name}")
            for each in found:
                print(f"{number}: {journey.name}, killed {killed}: {each}", flush=True)
        return harness.kills, done, wrong


def main() -> int:
    """The exit status: 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200, help="runs to kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600, help="begin no run after so many")
    parser.add_argument("--journey", choices=[each.name for each in JOURNEYS], help="only this")
    parser.add_argument("--keep", type=Path, help="a folder for what runs left that went wrong")
    given = parser.parse_args()
    chosen = [each for each in JOURNEYS if given.journey in (None, each.name)]
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder).resolve()
        met, done, wrong = soak(given.kills, given.seed, own, given.seconds, chosen, given.keep)
    print(f"{done.total()} runs ({dict(done)}), {met} kills, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
