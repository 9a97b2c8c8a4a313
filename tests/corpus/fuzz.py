"""Small files and command lines with a few changes each, until one ends in no error of ours.

    python -m tests.corpus.fuzz --seed 7 --count 2000

What fails is printed with its seed, which alone makes it again: `--seed 1234 --count 1`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from curriculum.config.build import build
from curriculum.config.conf import GROUPS, conf_dir
from curriculum.core.errors import UserError
from tests.corpus.asking import READERS, TooLong, in_time, read
from tests.corpus.odd_files import FIELDS, VALUES, WHOLE

FILES = Path(__file__).parents[1] / "formats" / "files"
SCALARS: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    1.5,
    1e308,
    float("nan"),
    2**70,
    "",
    "x",
    "a/b",
    [],
    [1],
    {},
]


def seeds_of_files() -> dict[str, bytes]:
    """Small valid files of each form, by name."""
    own = {f"form{path.suffix}": path.read_bytes() for path in sorted(FILES.iterdir())}
    return WHOLE | own


def mutated(content: bytes, rng: random.Random) -> bytes:
    """One to four changes: other bytes, a part that is gone or twice, an odd value put in."""
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
        kind = rng.choice(("byte", "cut", "twice", "value", "field"))
        if kind == "byte":
            content = content[:start] + bytes([rng.randrange(256)]) + content[start + 1 :]
        elif kind == "cut":
            content = content[:start] + content[min(end, start + 40) :]
        elif kind == "twice":
            content = content[:end] + content[start : min(end, start + 400)] + content[end:]
        elif kind == "value":
            content = content[:start] + rng.choice(VALUES).encode() + content[start:]
        else:
            odd = f'"{rng.choice(FIELDS)}": {rng.choice(VALUES)}, "prompt"'
            content = content.replace(b'"prompt"', odd.encode(), rng.randint(1, 2))
    return content


def try_file(rng: random.Random, folder: Path) -> str:
    """Read a changed file by one of the readers; what it was."""
    files = seeds_of_files()
    name = rng.choice(sorted(files))
    path, reader = folder / name, rng.choice(READERS)
    path.write_bytes(mutated(files[name], rng))
    message = read(str(path), folder / "store", reader)
    assert message is None or name in message, f"no place: {message}"
    return name


def try_option(rng: random.Random) -> str:
    """Build an option of a group with some keys of odd values; what it was."""
    group = rng.choice([group for group in GROUPS if (conf_dir() / group).is_dir()])
    path = rng.choice(sorted((conf_dir() / group).glob("*.yaml")))
    values: Any = OmegaConf.to_container(OmegaConf.load(path))
    keys = [key for key in values if key not in ("_target_", "defaults")]
    changed = {key: rng.choice(SCALARS) for key in keys if rng.random() < 0.5}
    values = {key: value for key, value in values.items() if key != "defaults"} | changed
    if values.get("_target_") is None:
        return path.stem
    plain = {key: None if "${" in str(value) else value for key, value in values.items()}
    try:
        with in_time():
            build({group: plain}, group)
    except UserError as error:
        assert group in str(error) or any(str(key) in str(error) for key in plain), (
            f"no place: {error}"
        )
    return path.stem


def failure_of(seed: int) -> str | None:
    """What is wrong with the case of a seed; None where it ends as it should."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if rng.random() < 0.6:
                try_file(rng, Path(folder))
            else:
                try_option(rng)
        except (Exception, TooLong):
            return f"--seed {seed} --count 1\n{traceback.format_exc()}"
    return None


def main() -> int:
    """Try cases; 1 where some have failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args()
    print(f"seeds {asked.seed} to {asked.seed + asked.count - 1}")
    seeds = range(asked.seed, asked.seed + asked.count)
    failed = 0
    for seed in seeds:
        told = failure_of(seed)
        if told is not None:
            failed += 1
            print(told, flush=True)
    print(f"{failed} of {asked.count} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
