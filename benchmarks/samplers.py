"""What a batch costs, against drawing prompts by fixed weights with numpy and no learning at all.

    python benchmarks/samplers.py
    python benchmarks/samplers.py --prompts 1000000 --samplers uniform thompson

Ours: a batch of 1,024 prompts drawn within the guards of conf/, and its outcomes, groups of 8,
observed. Numpy's: 1,024 indices with replacement from a cumulative table. Both in turn, so that
what else the machine does slows both. Means hold the shuffles of whole passes that medians leave
out.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, cast

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from curriculum.config.conf import conf_dir
from curriculum.core.prompts import Observations, Prompts
from curriculum.core.terminal import console, plain_table
from curriculum.run.settings import Settings
from curriculum.samplers import Curriculum, Guards, Sampler

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
BATCH, GROUP = 1_024, 8
SOURCES, BUCKETS = 4, 5
WARM_UP = 5


def options() -> list[str]:
    """Names of the samplers in conf/."""
    return sorted(
        path.stem for path in (conf_dir() / "sampler").glob("*.yaml") if path.stem != "none"
    )


def configured(option: str) -> tuple[Sampler, Guards]:
    """A sampler and its guards, as a run has them."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("config", [f"sampler={option}"])
    settings = Settings.build(cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)))
    assert settings.sampler is not None  # one was chosen
    return settings.sampler, settings.guards


def make_prompts(count: int) -> tuple[Prompts, np.ndarray]:
    """Prompts measured with 16 rollouts each, and their pass rates."""
    rng = np.random.default_rng(0)
    rate = rng.random(count)
    c = rng.binomial(16, rate).astype(np.float64)
    prompts = Prompts(
        ids=np.array([str(row) for row in range(count)], object),
        index=np.arange(count),
        source=rng.integers(0, SOURCES, count),
        sources=[f"s{i}" for i in range(SOURCES)],
        bucket=np.clip(((1 - rate) * BUCKETS).astype(np.int64), 0, BUCKETS - 1),
        buckets=[f"b{i}" for i in range(BUCKETS)],
        difficulty=1 - c / 16,
        n=np.full(count, 16.0),
        c=c,
        trained=np.ones(count, np.bool_),
        extra_info=np.full(count, None, object),
        length=rng.integers(20, 400, count),
    )
    return prompts, rate


def make_outcomes(batch: list[int], rate: np.ndarray, rng: np.random.Generator) -> Observations:
    """What a trainer would report of a batch."""
    prompt = np.repeat(np.array(batch), GROUP)
    passed = rng.random(len(prompt)) < rate[prompt]
    return Observations.of_rollouts(prompt, passed.astype(np.float64), passed)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(
    curriculum: Curriculum, rate: np.ndarray, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of our batches and of numpy's, in turn."""
    rng = np.random.default_rng(1)
    table = np.cumsum(rate)
    table /= table[-1]
    ours, theirs = [], []
    for _ in range(WARM_UP + rounds):
        theirs.append(seconds(lambda: np.searchsorted(table, rng.random(BATCH))))
        batch: list[int] = []
        taken = 0.0
        while len(batch) < BATCH:  # over the end of an epoch
            rest = islice(curriculum, BATCH - len(batch))
            taken += seconds(partial(batch.extend, rest))
        outcomes = make_outcomes(batch, rate, rng)
        ours.append(taken + seconds(partial(curriculum.observe, outcomes)))
    return ours[WARM_UP:], theirs[WARM_UP:]


def main() -> None:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--prompts", type=int, nargs="+", default=SIZES)
    parser.add_argument("--samplers", nargs="+", default=options(), choices=options())
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args()
    title = f"A batch of {BATCH:,} drawn and observed, and numpy's draws (ms)"
    table = plain_table(title, "sampler")
    for name in ("prompts", "median", "numpy's", "ratio", "mean", "numpy's", "ratio"):
        table.add_column(name, justify="right")
    for count in args.prompts:
        prompts, rate = make_prompts(count)
        for option in args.samplers:
            sampler, guards = configured(option)
            curriculum = Curriculum(sampler, prompts, BATCH, guards, np.random.default_rng(0))
            times = measure(curriculum, rate, args.rounds)
            columns = []
            for average in (np.median, np.mean):
                ours, theirs = (float(average(each)) * 1000 for each in times)
                columns += [f"{ours:.2f}", f"{theirs:.3f}", f"{ours / theirs:.1f}x"]
            table.add_row(option, f"{count:,}", *columns)
    console().print(table)


if __name__ == "__main__":
    main()
