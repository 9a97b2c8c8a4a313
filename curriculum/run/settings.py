"""The configuration as objects: every strategy, and the pipeline's own keys, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Self, TypeVar, cast

from curriculum.bucketers import Bucketer
from curriculum.budgets import Budget, Setting
from curriculum.config.build import build, typed
from curriculum.config.conf import keys
from curriculum.core.errors import UserError
from curriculum.data import Data, Limits
from curriculum.formats.files import File
from curriculum.generators import Generation, Generator, Replay
from curriculum.layouts import GENERATIONS, LAYOUTS, Export, Layout
from curriculum.metrics import Measure, Metric
from curriculum.report import Report
from curriculum.rewards import Auto, Reward
from curriculum.run.bucketing import Edges
from curriculum.run.scoring.scoring import Scoring
from curriculum.samplers import Guards, Sampler
from curriculum.store.entries import Store
from curriculum.trackers import Tracking
from curriculum.trainers import Schedule, Trainer

T = TypeVar("T")


@dataclass(frozen=True)
class Strategies:
    """What the configuration chose; built before any work, so that a mistake costs none."""

    data: Data
    replay: Replay | None
    generator: Generator | None
    generation: Generation
    budget: Budget
    reward: Reward | Auto
    scoring: Scoring
    measure: Measure
    metric: Metric
    bucketer: Bucketer
    recorded_order: list[str] | None  # of the data's buckets, where the bucketer wants it
    sampler: Sampler
    guards: Guards
    trainer: Trainer | None
    schedule: Schedule
    tracking: Tracking
    seed: int
    limits: Limits
    edges: Edges
    export: Export
    layouts: list[Layout]
    report: Report
    store: Store
    until: str | None  # the stage after which a run stops

    @classmethod
    def build(cls, cfg: Mapping[str, Any]) -> Self:
        """Raises UserError, with group, key and cause, where one can't be built."""

        def shared(kind: type[T], group: str) -> T:
            """The pipeline's own keys of a group."""
            keys = {each.name for each in fields(cast(Any, kind))}
            return typed(kind, {k: v for k, v in cfg[group].items() if k in keys}, group)

        strange = set(cfg) - set(keys())
        if strange:
            raise UserError(f"unknown: {', '.join(sorted(strange))} (keys: {', '.join(keys())})")
        export = typed(Export, cfg["export"], "export")
        data, bucketer = build(cfg, "data"), build(cfg, "bucketer")
        replays_own = cfg["generator"].get("path", "elsewhere") is None
        generator = None if replays_own else build(cfg, "generator")
        chosen = cls(
            data=data,
            replay=generator if isinstance(generator, Replay) else None,
            generator=None if isinstance(generator, Replay) else generator,
            generation=shared(Generation, "generator"),
            budget=build(cfg, "budget"),
            reward=build(cfg, "reward"),
            scoring=shared(Scoring, "reward"),
            measure=typed(Measure, cfg["measure"], "measure"),
            metric=build(cfg, "metric"),
            bucketer=bucketer,
            recorded_order=data.names() if bucketer.wants_recorded_order else None,
            sampler=build(cfg, "sampler"),
            guards=shared(Guards, "sampler"),
            trainer=None if cfg["trainer"]["_target_"] is None else build(cfg, "trainer"),
            schedule=shared(Schedule, "trainer"),
            tracking=build(cfg, "tracker"),
            seed=_seed(cfg["seed"]),
            limits=shared(Limits, "data"),
            edges=shared(Edges, "bucketer"),
            export=export,
            layouts=[*_layouts(cfg["convention"]["layouts"]), *[GENERATIONS] * export.generations],
            report=typed(Report, cfg["report"], "report"),
            store=typed(Store, {"root": cfg["store_dir"]}, "store_dir"),
            until=_until(cfg["until"]),
        )
        if not chosen.budget.divisible:
            _require_rounds(chosen)
        if chosen.generator is not None:
            chosen.budget.check(chosen.setting())
        return chosen

    def setting(self) -> Setting:
        """What the budget has to know of a run that generates."""
        assert self.generator is not None
        between = partial(_pass_rates_between, self.bucketer, self.metric, self.edges)
        return Setting(self.generator.batch_size, between)

    def files(self) -> list[File]:
        """All files that the run reads."""
        return [*self.data.files(), *(self.replay.files() if self.replay else [])]


def _require_rounds(chosen: Strategies) -> None:
    """Raise UserError where rollouts can't be had in rounds."""
    budget, generator = type(chosen.budget).__name__, chosen.generator
    if generator is None:
        raise UserError(
            f"the budget ({budget}) decides which rollouts to make: choose a generator that makes "
            "them, like generator=transformers"
        )
    if chosen.generation.shards > 1:
        raise UserError(
            f"the budget ({budget}) looks at all problems after each round, and a shard has a part "
            "of them: run it without generator.shards"
        )
    if getattr(generator, "temperature", 1) == 0 or not getattr(generator, "do_sample", True):
        raise UserError(
            f"the budget ({budget}) learns from responses that differ, and without sampling all of "
            "a problem's are the same: budget=fixed num_samples=1, or a generator.temperature "
            "above 0"
        )


def _pass_rates_between(
    bucketer: Bucketer, metric: Metric, edges: Edges, quantile: Callable[[float], float]
) -> Sequence[float]:
    """What lies between the run's buckets. Raises UserError where that is not known beforehand."""
    if edges.edges is not None:
        raise UserError(
            "bucketer.edges are of another run: bucketer.thresholds sets them for this one"
        )
    if bucketer.cuts_on_chosen and not metric.orders_like_pass_rate:
        raise UserError(
            f"{type(bucketer).__name__} cuts on {type(metric).__name__}, which does not order "
            "problems like their pass rate: metric=pass_rate does"
        )
    between = bucketer.pass_rates_between(quantile)
    if between is None:
        raise UserError(
            f"the edges of {type(bucketer).__name__} are no pass rates: those of "
            "bucketer=pass_rate and percentile are"
        )
    return between


def _seed(seed: Any) -> int:
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UserError(f"seed={seed}: a whole number, 0 or more")
    return seed


def _until(stage: str | None) -> str | None:
    if stage not in (None, "rollouts"):
        raise UserError(f"until={stage}: there is rollouts, or null for all")
    return stage


def _layouts(names: list[str]) -> list[Layout]:
    for name in names:
        if name not in LAYOUTS:
            raise UserError(f"convention.layouts: no {name}; there are {', '.join(LAYOUTS)}")
    return [LAYOUTS[name] for name in names]
