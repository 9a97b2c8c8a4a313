"""`sampler=reward_curriculum`: harder prompts are unlocked when the reward is high enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curriculum.core.prompts import Event, Observations, Prompts
from curriculum.core.records import Floats, Integers, reaches
from curriculum.samplers.base import AtLeastOne, Rate, Sampling
from curriculum.samplers.multi_source import MultiSourceSampling
from curriculum.samplers.parts.averages import Averages
from curriculum.samplers.parts.complexity import ComplexitySettings, easiest_first, score_of
from curriculum.samplers.state import State

RULE = "=" * 80
PATIENCE = 10  # times `min_batches_per_level` without a level-up until that is said


@dataclass(frozen=True, kw_only=True)
class RewardCurriculum(ComplexitySettings):
    """The easiest prompts of a source, then one interval of harder ones after another.

    The next interval opens when the average reward of the source's prompts reaches a threshold.
    Of several sources, each opens its own intervals, all at once.

    Source: RewardCurriculumSampler of verl_extensions 0.3.0, once RewardGatedCurriculumSampler.
    """

    num_intervals: AtLeastOne = 10
    reward_threshold: float = 0.5
    reward_alpha: Rate = 0.1
    min_batches_per_level: AtLeastOne = 10
    check_frequency: AtLeastOne = 3
    focus_new_intervals: bool = False
    interval_decay: Rate = 0.5

    def start(
        self, prompts: Prompts, batch_size: float, group_size: int, rng: np.random.Generator
    ) -> Sampling:
        """See `Sampler`."""
        return RewardCurriculumSampling(self, prompts, batch_size, rng)

    def ends(self, size: int) -> list[int]:
        """Where the intervals of so many prompts end."""
        percentiles = np.linspace(*self.percentiles, self.num_intervals + 1)
        return [max(round(size * percentile / 100), 1) for percentile in percentiles]


class RewardCurriculumSampling(MultiSourceSampling):
    """See `RewardCurriculum`."""

    _level: State[int]
    _since: State[int]  # the batch of the last level-up
    _reward: State[Averages]

    def __init__(
        self,
        settings: RewardCurriculum,
        prompts: Prompts,
        batch_size: float,
        rng: np.random.Generator,
    ) -> None:
        self._settings, self._prompts, self._batch_size = settings, prompts, batch_size
        self._sources = settings.curriculum_sources(prompts)
        super().__init__(settings, prompts, batch_size, rng)
        self._level, self._since, self._reward = 0, 0, Averages(settings.reward_alpha, 1)

    def started(self) -> list[Event]:
        """See `Sampling`."""
        return [*super().started(), self._intervals_event()]

    def observe(self, observations: Observations) -> list[Event]:
        """See `Sampling`."""
        before = self._mix.batches // self._settings.check_frequency
        waited = self._waited()
        patience = PATIENCE * self._settings.min_batches_per_level
        events = super().observe(observations)
        level = self._level_of[observations.prompt]
        gated = (level >= 0) & (level <= self._level)  # the floor draws others too
        expected = self._mix.shares[self._sources].sum() * self._batch_size
        if gated.any():
            mean = observations.reward[gated].mean(keepdims=True)
            self._reward.add(mean, np.array([gated.sum() / max(expected, 1e-9)]))
        if self._mix.batches // self._settings.check_frequency > before and self._is_ready():
            events.append(self._level_up())
        elif waited < patience <= self._waited() and self._is_held_back():
            events.append(self._stuck())
        return events

    def metrics(self) -> dict[str, float]:
        """See `Sampling`."""
        own = {"level": float(self._level), "samples": float(self._samples(self._level))}
        reward = float(self._reward.values[0])
        own |= {} if np.isnan(reward) else {"reward_ema": reward}
        return super().metrics() | own

    def _divided(self, prompts: Prompts) -> list[Integers]:
        """Sources without a curriculum as they are, the others in intervals."""
        groups, source_of, interval = [], [], []
        self._level_of = np.full(len(prompts), -1, np.int16)
        for source in range(len(prompts.sources)):
            if source not in self._sources:
                parts = [np.flatnonzero(prompts.source == source)]
                interval += [-1]
            else:
                rows = easiest_first(prompts, source, self._settings.complexity_score)
                *parts, never = np.split(rows, self._settings.ends(len(rows)))
                for level, opened in enumerate([*parts, never]):
                    self._level_of[opened] = level
                interval += range(len(parts))
            groups += parts
            source_of += [source] * len(parts)
        self._source_of, self._interval = np.array(source_of), np.array(interval)
        self._members = groups
        return groups

    def _shares(self) -> Floats:
        """A source's share over its open intervals: by size, or more for newer ones."""
        age = self._level - self._interval
        weights = np.where(age >= 0, self._groups.sizes, 0).astype(np.float64)
        if self._settings.focus_new_intervals:
            fresh = self._settings.interval_decay ** np.maximum(age, 0) * (weights > 0)
            weights = np.where(self._interval >= 0, fresh, weights)
        of_source = np.bincount(self._source_of, weights, len(self._prompts.sources))
        share = self._mix.shares / np.maximum(of_source, 1e-300)
        return np.asarray(weights * share[self._source_of])

    def _is_ready(self) -> bool:
        waited = self._waited() >= self._settings.min_batches_per_level
        more = self._level < self._settings.num_intervals
        good = reaches(self._reward.values, self._settings.reward_threshold, strict=False)
        return bool(more and waited and good.all())

    def _is_held_back(self) -> bool:
        more = self._level < self._settings.num_intervals
        return bool(more and (self._reward.values < self._settings.reward_threshold).all())

    def _waited(self) -> int:
        """Batches since the last level-up."""
        return self._mix.batches - self._since

    def _stuck(self) -> Event:
        waited, reward = self._waited(), float(self._reward.values[0])
        threshold = self._settings.reward_threshold
        text = (
            f"{self._settings.tag} the reward has not reached reward_threshold={threshold:g} in "
            f"{waited} batches: it is {reward:.3f}, and level {self._level} of "
            f"{self._settings.num_intervals} stays"
        )
        values = {"level": self._level, "batches": waited, "reward": reward}
        return Event("stuck", text, values, loud=True)

    def _level_up(self) -> Event:
        before, reward = self._samples(self._level), float(self._reward.values[0])
        self._level += 1
        self._since = self._mix.batches
        after = self._samples(self._level)
        tag, threshold = self._settings.tag, self._settings.reward_threshold
        text = "\n".join(
            [
                RULE,
                f"{tag} LEVEL UP! {self._level - 1} → {self._level}",
                f"{tag} Batch {self._since}: Reward {reward:.3f} >= {threshold}",
                f"{tag} Samples: {before} → {after}",
                RULE,
            ]
        )
        values = {
            "level": self._level,
            "batch": self._since,
            "reward": reward,
            "threshold": threshold,
            "samples_before": before,
            "samples": after,
        }
        return Event("level_up", text, values)

    def _samples(self, level: int) -> int:
        opened = (self._interval >= 0) & (self._interval <= level)
        return int(self._groups.sizes[opened].sum())

    def _intervals_event(self) -> Event:
        settings, tag = self._settings, self._settings.tag
        initial, final = settings.percentiles
        lines = [
            f"{tag} Complexity source: {settings.named}",
            f"{tag} Initial: {initial:g}%, Final: {final:g}%",
            f"{tag} Intervals: {settings.num_intervals + 1} "
            f"(1 initial + {settings.num_intervals} progressive)",
        ]
        sizes = []
        for i in range(settings.num_intervals + 1):
            members = [self._members[group] for group in np.flatnonzero(self._interval == i)]
            rows = np.concatenate(members)
            sizes.append(len(rows))
            name = f"Interval {i}" + (f" (Initial {initial:g}%)" if i == 0 else "")
            score = score_of(self._prompts, rows, settings.complexity_score)
            bounds = f", [{score.min():.3f}, {score.max():.3f}]" if len(rows) else ""
            lines.append(f"  {name}: {len(rows)} samples{bounds}")
        return Event("start", "\n".join(lines), {"intervals": sizes})
