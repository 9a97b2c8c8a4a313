"""What came of a simulated training: step by step, in numbers, and in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.names import CONTROL
from curriculum.core.prompts import Event, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.core.terminal import console, plain_table, shown
from curriculum.trainers.base import Schedule

LABEL = "simulated by a stated learning model on the measured pass rates; no model was trained"
GOOD_FOR = (
    "it tells what batches are made of, what repeats and what starves; which curriculum gains more "
    "it does not predict, right in two of five real settings (docs/results.md)"
)


class Simulated:
    """One arm of a dry run, filled in step by step."""

    def __init__(self, prompts: Prompts, schedule: Schedule, pass_rate: float) -> None:
        self.prompts, self.schedule = prompts, schedule
        self.events: list[tuple[int, Event]] = []
        self.draws = np.zeros(len(prompts), np.int64)  # (P,) how often each was drawn
        self._rates = [pass_rate]  # before the first step, and after each
        self._mixed: list[float] = []
        self._reward: list[float] = []
        self._buckets: list[Floats] = []
        self._sources: list[Floats] = []
        self._metrics: list[Mapping[str, float]] = []

    def add(
        self, batch: Integers, passes: Integers, pass_rate: float, metrics: Mapping[str, float]
    ) -> None:
        """A step: the groups of a batch, the mean pass rate after it, the sampler's metrics."""
        prompts, group = self.prompts, self.schedule.group_size
        np.add.at(self.draws, batch, 1)
        self._rates.append(pass_rate)
        self._mixed.append(float(((passes > 0) & (passes < group)).mean()))
        self._reward.append(float(passes.mean() / group))
        for mix, of, names in (
            (self._buckets, prompts.bucket, prompts.buckets),
            (self._sources, prompts.source, prompts.sources),
        ):
            mix.append(np.bincount(of[batch], minlength=len(names)) / len(batch))
        self._metrics.append(metrics)

    @property
    def rollouts(self) -> Integers:
        """(T + 1,) before the first step, and after each."""
        each = self.schedule.batch_size * self.schedule.group_size
        return np.arange(len(self._rates)) * each

    @property
    def pass_rates(self) -> Floats:
        """(T + 1,) mean over all prompts, drawn or not."""
        return np.array(self._rates)

    @property
    def with_gradient(self) -> Floats:
        """(T,) share of the groups that have passes and failures."""
        return np.array(self._mixed)

    @property
    def bucket_mix(self) -> Floats:
        """(T, buckets) shares of each batch."""
        return np.array(self._buckets)

    @property
    def source_mix(self) -> Floats:
        """(T, sources) shares of each batch."""
        return np.array(self._sources)

    def level_ups(self) -> list[int]:
        """Steps at which the sampler went a level up."""
        return [step for step, event in self.events if event.kind == "level_up"]

    def by_step(self) -> Iterator[dict[str, float]]:
        """Numbers to log: of step 0, then of each."""
        yield {"rollouts": 0.0}
        for i, rollouts in enumerate(self.rollouts[1:].tolist()):
            buckets = zip(self.prompts.buckets, self._buckets[i].tolist(), strict=True)
            sources = zip(self.prompts.sources, self._sources[i].tolist(), strict=True)
            yield {
                "rollouts": float(rollouts),
                "reward": self._reward[i],
                "groups_with_gradient": self._mixed[i],
                **{f"bucket/{name}": share for name, share in buckets},
                **{f"source/{name}": share for name, share in sources},
                **{f"sampler/{name}": value for name, value in self._metrics[i].items()},
            }

    def summary(self) -> dict[str, Any]:
        """The whole of it in some numbers."""
        rollouts = int(self.rollouts[-1])
        return {
            "rollouts": rollouts,
            "groups_with_gradient": float(self.with_gradient.mean()),
            "rollouts_without_gradient": round(rollouts * (1 - self.with_gradient.mean())),
            "prompts": len(self.prompts),
            "never_drawn": int((self.draws == 0).sum()),
            "mean_draws": float(self.draws.mean()),
            "most_draws": int(self.draws.max()),
            "level_ups": len(self.level_ups()),
            "past_the_guards": int(self._metrics[-1]["guards/gave_way"]),
        }


def summary(arms: Mapping[str, Simulated]) -> dict[str, Any]:
    """What result.json says of a dry run, the sampler first and then the control."""
    schedule = next(iter(arms.values())).schedule
    return {
        "trainer": "dry_run",
        "simulation": LABEL,
        "good_for": GOOD_FOR,
        "steps": schedule.steps,
        "batch_size": schedule.batch_size,
        "group_size": schedule.group_size,
        "arms": {name: arm.summary() for name, arm in arms.items()},
    }


def show(results: Mapping[str, Any], written: Sequence[Path]) -> None:
    """Print the arms beside each other, the control first."""
    out = console()
    out.print(
        f"\nDry run: {results['steps']:,} batches of {results['batch_size']} prompts, "
        f"{results['group_size']} rollouts each",
        style="bold",
    )
    out.print(f" {LABEL};\n {GOOD_FOR}", style="dim")
    arms = sorted(results["arms"].items(), key=lambda each: each[0] != CONTROL)
    table = plain_table(None, "")
    for name, _ in arms:
        table.add_column(f"{name} (control)" if name == CONTROL else name, justify="right")
    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "rollouts": lambda arm: _count(arm["rollouts"]),
        "groups with a gradient": lambda arm: f"{arm['groups_with_gradient']:.0%}",
        "rollouts in groups without one": lambda arm: _count(arm["rollouts_without_gradient"]),
        "prompts never drawn": lambda arm: f"{arm['never_drawn']:,} of {arm['prompts']:,}",
        "draws of a prompt, mean": lambda arm: f"{arm['mean_draws']:.1f}",
        "draws of a prompt, most": lambda arm: _count(arm["most_draws"]),
    }
    if any(arm["level_ups"] for _, arm in arms):
        rows["level-ups"] = lambda arm: _count(arm["level_ups"])
    if any(arm["past_the_guards"] for _, arm in arms):
        rows["draws past the guards"] = lambda arm: _count(arm["past_the_guards"])
    for label, cell in rows.items():
        table.add_row(label, *(cell(arm) for _, arm in arms))
    out.print(table)
    out.print()
    for path in written:
        out.print(f" {shown(path)}", soft_wrap=True)


def _count(value: int) -> str:
    return f"{value:,}"
