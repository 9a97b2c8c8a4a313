"""`sampler=reward_curriculum`: harder prompts are unlocked when the reward is high enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from curriculum.core.errors import UserError
from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.multi_source import MultiSource
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.complexity import (
    curriculum_sources,
    easiest_first,
    require_percentiles,
    score_of,
)

RULE = "=" * 80


@dataclass(kw_only=True)
class RewardCurriculum(MultiSource):
    """The easiest prompts of a source, then one interval of harder ones after another.

    The next interval opens when the average reward of the source's prompts reaches a threshold.
    Of several sources, each opens its own intervals, all at once.

    Source: RewardCurriculumSampler of verl_extensions 0.3.0, once RewardGatedCurriculumSampler.
    """

    complexity_source: str | None
    complexity_score: str | None
    initial_complexity_percentile: float
    final_complexity_percentile: float
    num_intervals: int
    reward_threshold: float
    reward_alpha: float
    min_batches_per_level: int
    check_frequency: int
    focus_new_intervals: bool
    interval_decay: float
    starves_none: ClassVar = False
    _level: int = field(init=False, repr=False)
    _level_of: Integers = field(init=False, repr=False)  # (P,) that opens it; -1: always open
    _reward: Averages = field(init=False, repr=False)
    _since: int = field(init=False, repr=False)  # the batch of the last level-up
    _source_of: Integers = field(init=False, repr=False)  # (groups,)
    _interval: Integers = field(init=False, repr=False)  # (groups,) -1: always open
    _members: list[Integers] = field(init=False, repr=False)  # of each group, rows
    _sources: list[int] = field(init=False, repr=False)
    _prompts: Prompts = field(init=False, repr=False)
    _batch_size: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_percentiles(self.initial_complexity_percentile, self.final_complexity_percentile)
        if not 0 < self.reward_alpha <= 1 or not 0 < self.interval_decay <= 1:
            raise UserError("sampler.reward_alpha, interval_decay: above 0, at most 1")
        counts = (self.num_intervals, self.min_batches_per_level, self.check_frequency)
        if min(counts) < 1:
            raise UserError(
                "sampler.num_intervals, min_batches_per_level, check_frequency: 1 or more"
            )

    def start(self, prompts: Prompts, batch_size: float, rng: np.random.Generator) -> list[Event]:
        """See `Sampler`."""
        self._prompts, self._batch_size = prompts, batch_size
        self._sources = curriculum_sources(prompts, self.complexity_source)
        self._reward, self._level, self._since = Averages(self.reward_alpha, 1), 0, 0
        events = super().start(prompts, batch_size, rng)
        return [*events, self._intervals_event()]

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampler`."""
        before = self._mix.batches // self.check_frequency
        events = super().observe(observations)
        level = self._level_of[observations.prompt]
        gated = (level >= 0) & (level <= self._level)  # the floor draws others too
        expected = self._mix.shares[self._sources].sum() * self._batch_size
        if gated.any():
            mean = observations.reward[gated].mean(keepdims=True)
            self._reward.add(mean, np.array([gated.sum() / max(expected, 1e-9)]))
        if self._mix.batches // self.check_frequency > before and self._is_ready():
            events.append(self._level_up())
        return events

    def state_dict(self) -> dict[str, Any]:
        """See `Sampler`."""
        own = {"level": self._level, "since": self._since, "reward": self._reward.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Sampler`."""
        super().load_state_dict(state)
        self._level, self._since = state["level"], state["since"]
        self._reward.load_state_dict(state["reward"])

    def metrics(self) -> dict[str, float]:
        """See `Sampler`."""
        own = {"level": float(self._level), "samples": float(self._samples(self._level))}
        reward = float(self._reward.values[0])
        own |= {} if np.isnan(reward) else {"reward_ema": reward}
        return super().metrics() | own

    def _groups(self, prompts: Prompts) -> list[Integers]:
        """Sources without a curriculum as they are, the others in intervals."""
        groups, source_of, interval = [], [], []
        self._level_of = np.full(len(prompts), -1, np.int16)
        for source in range(len(prompts.sources)):
            if source not in self._sources:
                parts = [np.flatnonzero(prompts.source == source)]
                interval += [-1]
            else:
                rows = easiest_first(prompts, source, self.complexity_score)
                *parts, never = np.split(rows, self._ends(len(rows)))
                for level, opened in enumerate([*parts, never]):
                    self._level_of[opened] = level
                interval += range(len(parts))
            groups += parts
            source_of += [source] * len(parts)
        self._source_of, self._interval = np.array(source_of), np.array(interval)
        self._members = groups
        return groups

    def _ends(self, size: int) -> list[int]:
        """Where the intervals of so many prompts end."""
        first, last = self.initial_complexity_percentile, self.final_complexity_percentile
        percentiles = np.linspace(first, last, self.num_intervals + 1)
        return [max(round(size * each / 100), 1) for each in percentiles]

    def _shares(self) -> Floats:
        """A source's share over its open intervals: by size, or more for newer ones."""
        age = self._level - self._interval
        weights = np.where(age >= 0, self._strata.sizes, 0).astype(np.float64)
        if self.focus_new_intervals:
            fresh = self.interval_decay ** np.maximum(age, 0) * (weights > 0)
            weights = np.where(self._interval >= 0, fresh, weights)
        of_source = np.bincount(self._source_of, weights, len(self._prompts.sources))
        share = self._mix.shares / np.maximum(of_source, 1e-300)
        return np.asarray(weights * share[self._source_of])

    def _is_ready(self) -> bool:
        waited = self._mix.batches - self._since >= self.min_batches_per_level
        more = self._level < self.num_intervals
        good = reaches(self._reward.values, self.reward_threshold, strict=False)
        return bool(more and waited and good.all())

    def _level_up(self) -> Event:
        before, reward = self._samples(self._level), float(self._reward.values[0])
        self._level += 1
        self._since = self._mix.batches
        after = self._samples(self._level)
        text = "\n".join(
            [
                RULE,
                f"{self._tag} LEVEL UP! {self._level - 1} → {self._level}",
                f"{self._tag} Batch {self._since}: Reward {reward:.3f} >= {self.reward_threshold}",
                f"{self._tag} Samples: {before} → {after}",
                RULE,
            ]
        )
        values = {
            "level": self._level,
            "batch": self._since,
            "reward": reward,
            "threshold": self.reward_threshold,
            "samples_before": before,
            "samples": after,
        }
        return Event("level_up", text, values)

    def _samples(self, level: int) -> int:
        opened = (self._interval >= 0) & (self._interval <= level)
        return int(self._strata.sizes[opened].sum())

    def _intervals_event(self) -> Event:
        named = "every source" if self.complexity_source is None else f"'{self.complexity_source}'"
        initial, final = self.initial_complexity_percentile, self.final_complexity_percentile
        lines = [
            f"{self._tag} Complexity source: {named}",
            f"{self._tag} Initial: {initial:g}%, Final: {final:g}%",
            f"{self._tag} Intervals: {self.num_intervals + 1} "
            f"(1 initial + {self.num_intervals} progressive)",
        ]
        sizes = []
        for i in range(self.num_intervals + 1):
            own = [self._members[each] for each in np.flatnonzero(self._interval == i)]
            rows = np.concatenate(own)
            sizes.append(len(rows))
            name = f"Interval {i}" + (f" (Initial {initial:g}%)" if i == 0 else "")
            score = score_of(self._prompts, rows, self.complexity_score)
            bounds = f", [{score.min():.3f}, {score.max():.3f}]" if len(rows) else ""
            lines.append(f"  {name}: {len(rows)} samples{bounds}")
        return Event("start", "\n".join(lines), {"intervals": sizes})
