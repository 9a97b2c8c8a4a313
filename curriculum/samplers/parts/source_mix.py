"""How much of each batch comes from which source, fixed or by how well each goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers
from curriculum.samplers.base import AtLeastOne, Positive, Rate, Sampler, Weight
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.ranges import Ranges
from curriculum.samplers.state import State, Stateful


def _is_range(ends: list[float]) -> list[float]:
    if ends[0] >= ends[1]:
        raise ValueError("the lower end must be below the higher one")
    return ends


Finite = Annotated[float, Field(allow_inf_nan=False)]
# The lowest and the highest reward of a source.
Range = Annotated[list[Finite], Field(min_length=2, max_length=2), AfterValidator(_is_range)]


@dataclass(frozen=True, kw_only=True)
class SourceMixSettings(Sampler):
    """Of a mix of sources."""

    sampling_strategy: Literal["weighted", "proportional"] = "weighted"
    source_weights: dict[str, Weight] | None = None
    adaptive_weights: bool = False
    alpha: Rate = 0.1
    update_frequency: AtLeastOne = 5
    temperature: Positive = 1.0
    max_source_ratio: Annotated[float, Field(ge=1)] = 3.0
    reward_ranges: dict[str, Range] | None = None
    mixes_sources: ClassVar = True

    def __post_init__(self) -> None:
        if self.source_weights and self.sampling_strategy == "proportional":
            raise UserError(
                "sampler.source_weights are for sampler.sampling_strategy=weighted: proportional "
                "goes by the number of prompts"
            )
        if self.reward_ranges and not self.adaptive_weights:
            raise UserError("sampler.reward_ranges are for sampler.adaptive_weights=true")

    def sources_named(self) -> dict[str, list[str]]:
        """See `Sampler`."""
        given = {"source_weights": self.source_weights, "reward_ranges": self.reward_ranges}
        return {setting: list(names or ()) for setting, names in given.items()}

    @property
    def tag(self) -> str:
        """What lines of the log begin with."""
        return f"[{type(self).__name__}Sampler]"


class SourceMix(Stateful):
    """Shares of S sources.

    Fixed shares are the given ones. Adaptive ones are the given ones times exp(-r / temperature),
    where r is the place of a source's average reward in the range of rewards (see `Ranges`): 0
    where nothing is ever solved, 1 where all is, 0.5 where nothing is known. They are bounded from
    the first batch on: none is below 1 / `max_source_ratio` of the largest.
    """

    shares: State[Floats]  # (S,)
    _average: State[Averages]
    _ranges: State[Ranges]
    _groups: State[int]  # that came back

    def __init__(self, settings: SourceMixSettings, prompts: Prompts, batch_size: float) -> None:
        """Raises UserError where weights and sources don't fit."""
        self._settings, self._names = settings, prompts.sources
        self._source, self._batch_size = prompts.source, batch_size
        self.sizes: Integers = np.bincount(prompts.source, minlength=len(prompts.sources))
        self._given = _given(settings, prompts, self.sizes)
        self._ranges = Ranges(settings.reward_ranges, prompts)
        adaptive = settings.adaptive_weights
        self.shares = self._bounded(self._given) if adaptive else self._given / self._given.sum()
        self._average = Averages(settings.alpha, len(self._names))
        self._groups = 0

    @property
    def batches(self) -> int:
        """Of feedback so far."""
        return int(self._groups / self._batch_size + 1e-9)

    def started(self) -> Event:
        """What the mix is to begin with."""
        settings, present = self._settings, self._given > 0
        mode = "adaptive" if settings.adaptive_weights else "fixed"
        lines = [
            f"{self._settings.tag} Strategy: {settings.sampling_strategy}, Mode: {mode}, "
            f"Sources: {present.sum()}, Batch size: {round(self._batch_size)}"
        ]
        if settings.adaptive_weights:
            others, most = int(present.sum()) - 1, settings.max_source_ratio
            low, high = 1 / (1 + most * others), most / (most + others)
            lines += [
                f"{self._settings.tag} Adaptive: alpha={settings.alpha}, "
                f"update_freq={settings.update_frequency}, temp={settings.temperature}",
                f"{self._settings.tag} Weight bounds: [{low:.1%}, {high:.1%}]",
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
        before, every = self.batches, self._settings.update_frequency
        self._groups += len(observations)
        due = self.batches // every > before // every
        if not due or not self._settings.adaptive_weights:
            return []
        return [*self._ranges.look(self._settings.tag), self._adapt()]

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
        self.shares = self._bounded(self._given * np.exp(-above / self._settings.temperature))
        ratio = self.shares[present].max() / self.shares[present].min()
        lines = [f"{self._settings.tag} Batch {self.batches} - Weight adjustment:"]
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
        least = weights.max() / self._settings.max_source_ratio
        weights = np.where(self._given > 0, np.maximum(weights, least), 0)
        return np.asarray(weights / weights.sum())

    def _by_name(self, values: Floats) -> dict[str, float]:
        return dict(zip(self._names, values.tolist(), strict=True))


def _given(settings: SourceMixSettings, prompts: Prompts, sizes: Integers) -> Floats:
    """(S,) weights, 0 for a source without prompts."""
    for name in settings.source_weights or ():
        prompts.of(name)
    if settings.sampling_strategy == "proportional":
        return np.asarray(sizes, np.float64)
    weights = settings.source_weights or dict.fromkeys(prompts.sources, 1.0)
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
