"""How much of each batch comes from which source, fixed or by how well each goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.ranges import Ranges

STRATEGIES = ("weighted", "proportional")


@dataclass(kw_only=True)
class Knobs:
    """Of a mix of sources."""

    sampling_strategy: str
    source_weights: dict[str, float] | None
    adaptive_weights: bool
    alpha: float
    update_frequency: int
    temperature: float
    max_source_ratio: float
    reward_ranges: dict[str, list[Any]] | None  # numbers; list[float] in a dict refuses 0

    def __post_init__(self) -> None:
        if self.sampling_strategy not in STRATEGIES:
            raise UserError(
                f"sampler.sampling_strategy={self.sampling_strategy}: there are "
                f"{', '.join(STRATEGIES)}"
            )
        weights = (self.source_weights or {}).values()
        if not all(0 <= weight < np.inf for weight in weights):
            raise UserError(f"sampler.source_weights={self.source_weights}: 0 or more each")
        if weights and self.sampling_strategy == "proportional":
            raise UserError(
                "sampler.source_weights are for sampler.sampling_strategy=weighted: proportional "
                "goes by the number of prompts"
            )
        if not 0 < self.alpha <= 1:
            raise UserError(f"sampler.alpha={self.alpha}: above 0, at most 1")
        if self.update_frequency < 1:
            raise UserError(f"sampler.update_frequency={self.update_frequency}: 1 batch or more")
        if not self.temperature > 0:
            raise UserError(f"sampler.temperature={self.temperature}: above 0")
        if not self.max_source_ratio >= 1:
            raise UserError(f"sampler.max_source_ratio={self.max_source_ratio}: 1 or more")
        ranges = self.reward_ranges or {}
        if not all(_is_range(ends) for ends in ranges.values()):
            raise UserError(
                f"sampler.reward_ranges={ranges}: the lowest and the highest reward of each "
                "source, as in {math: [0, 1], code: [0, 10]}"
            )
        if ranges and not self.adaptive_weights:
            raise UserError("sampler.reward_ranges are for sampler.adaptive_weights=true")


class Mix:
    """Shares of S sources.

    Fixed shares are the given ones. Adaptive ones are the given ones times exp(-r / temperature),
    where r is the place of a source's average reward in the range of rewards (see `Ranges`): 0
    where nothing is ever solved, 1 where all is, 0.5 where nothing is known. They are bounded from
    the first batch on: none is below 1 / `max_source_ratio` of the largest.
    """

    def __init__(self, knobs: Knobs, prompts: Prompts, batch_size: float, tag: str) -> None:
        """Raises UserError where weights and sources don't fit."""
        self._knobs, self._names, self._tag = knobs, prompts.sources, tag
        self._source, self._batch_size = prompts.source, batch_size
        self.sizes: Integers = np.bincount(prompts.source, minlength=len(prompts.sources))
        self._given = _given(knobs, prompts, self.sizes)
        self._ranges = Ranges(knobs.reward_ranges, prompts)
        adaptive = knobs.adaptive_weights
        self.shares = self._bounded(self._given) if adaptive else self._given / self._given.sum()
        self._average = Averages(knobs.alpha, len(self._names))
        self._groups = 0

    @property
    def batches(self) -> int:
        """Of feedback so far."""
        return int(self._groups / self._batch_size + 1e-9)

    def started(self) -> Event:
        """What the mix is to begin with."""
        knobs, present = self._knobs, self._given > 0
        mode = "adaptive" if knobs.adaptive_weights else "fixed"
        lines = [
            f"{self._tag} Strategy: {knobs.sampling_strategy}, Mode: {mode}, "
            f"Sources: {present.sum()}, Batch size: {round(self._batch_size)}"
        ]
        if knobs.adaptive_weights:
            others, most = int(present.sum()) - 1, knobs.max_source_ratio
            low, high = 1 / (1 + most * others), most / (most + others)
            lines += [
                f"{self._tag} Adaptive: alpha={knobs.alpha}, "
                f"update_freq={knobs.update_frequency}, temp={knobs.temperature}",
                f"{self._tag} Weight bounds: [{low:.1%}, {high:.1%}]",
            ]
        else:
            lines += [
                f"  {name}: {size} samples (weight: {share:.3f})"
                for name, size, share in zip(self._names, self.sizes, self.shares, strict=True)
                if share > 0
            ]
        return Event("start", "\n".join(lines), {"weights": self._by_name(self.shares)})

    def observe(self, observations: Observations) -> list[Event]:
        """Adapt the shares, where they are adaptive and it is time to."""
        sources = len(self._names)
        source = self._source[observations.prompt]
        groups = np.bincount(source, minlength=sources)
        total = np.bincount(source, observations.reward, sources)
        batches = groups / np.maximum(self.shares * self._batch_size, 1e-9)
        self._average.add(total / np.maximum(groups, 1), np.where(self.shares > 0, batches, 0))
        self._ranges.observe(source, observations)
        before, every = self.batches, self._knobs.update_frequency
        self._groups += len(observations)
        due = self.batches // every > before // every
        if not due or not self._knobs.adaptive_weights:
            return []
        return [*self._ranges.look(self._tag), self._adapt()]

    def state_dict(self) -> dict[str, Any]:
        """Shares and what they follow from."""
        return {
            "shares": self.shares.copy(),
            "average": self._average.state_dict(),
            "ranges": self._ranges.state_dict(),
            "groups": self._groups,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.shares = np.array(state["shares"])
        self._average.load_state_dict(state["average"])
        self._ranges.load_state_dict(state["ranges"])
        self._groups = state["groups"]

    def metrics(self) -> dict[str, float]:
        """Share and average reward of each source."""
        seen = ~np.isnan(self._average.values)
        rewards = {
            f"source/{name}/reward_ema": float(value)
            for name, value, known in zip(self._names, self._average.values, seen, strict=True)
            if known
        }
        shares = self._by_name(self.shares)
        return {f"source/{name}/weight": share for name, share in shares.items()} | rewards

    def _adapt(self) -> Event:
        average, present = self._average.values, self._given > 0
        place = self._ranges.places(average)
        above = np.where(present, place - place[present].min(), 0)
        self.shares = self._bounded(self._given * np.exp(-above / self._knobs.temperature))
        ratio = self.shares[present].max() / self.shares[present].min()
        lines = [f"{self._tag} Batch {self.batches} - Weight adjustment:"]
        lines += [
            f"  {name}: reward_ema={value:6.2f}, weight={share:.3f} ({share:.1%})"
            for name, value, share in zip(self._names, average, self.shares, strict=True)
            if share > 0
        ]
        lines.append(f"  Actual max/min ratio: {ratio:.2f}x")
        values = {"batch": self.batches, "weights": self._by_name(self.shares)}
        return Event("weights", "\n".join(lines), values)

    def _bounded(self, weights: Floats) -> Floats:
        """(S,) shares, none below 1 / `max_source_ratio` of the largest but for those of 0."""
        least = weights.max() / self._knobs.max_source_ratio
        weights = np.where(self._given > 0, np.maximum(weights, least), 0)
        return np.asarray(weights / weights.sum())

    def _by_name(self, values: Floats) -> dict[str, float]:
        return dict(zip(self._names, values.tolist(), strict=True))


def _is_range(ends: list[Any]) -> bool:
    numbers = all(isinstance(each, int | float) for each in ends)
    return numbers and len(ends) == 2 and -np.inf < ends[0] < ends[1] < np.inf


def _given(knobs: Knobs, prompts: Prompts, sizes: Integers) -> Floats:
    """(S,) weights, 0 for a source without prompts."""
    for name in knobs.source_weights or ():
        prompts.of(name)
    if knobs.sampling_strategy == "proportional":
        return np.asarray(sizes, np.float64)
    weights = knobs.source_weights or dict.fromkeys(prompts.sources, 1.0)
    left_out = [
        name
        for name, size in zip(prompts.sources, sizes, strict=True)
        if size and name not in weights
    ]
    if left_out:
        raise UserError(
            f"sampler.source_weights has nothing for {', '.join(left_out)}: a source that should "
            "not be drawn from gets 0"
        )
    given = np.array([weights.get(name, 0.0) for name in prompts.sources]) * (sizes > 0)
    if not given.any():
        raise UserError("sampler.source_weights: no source with prompts has a weight above 0")
    return given
