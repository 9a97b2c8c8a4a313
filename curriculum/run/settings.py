"""The configuration as objects: every strategy, and the pipeline's own keys, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar, cast

import numpy as np

from curriculum.bucketers import Bucketer, Percentile, Recorded
from curriculum.budgets import Fixed, Sequential, question_of
from curriculum.config.build import build, typed
from curriculum.config.plugins import keys
from curriculum.core.errors import UserError
from curriculum.data import Buckets, Data, Limits
from curriculum.formats.files import File
from curriculum.generators import Generation, Generator, Replay
from curriculum.layouts import GENERATIONS, LAYOUTS, Export, Layout
from curriculum.metrics import (
    InverseMean,
    MeanReward,
    Measure,
    Metric,
    PassRate,
    UnbiasedPassAtK,
)
from curriculum.report import Report
from curriculum.rewards import Auto, Reward
from curriculum.run.bucketing import Edges
from curriculum.run.scoring.scoring import Scoring
from curriculum.samplers import Rails, Sampler
from curriculum.store.entries import Store
from curriculum.trackers import Tracking
from curriculum.trainers import Schedule, Trainer

T = TypeVar("T")
RATES = (MeanReward, PassRate, InverseMean, UnbiasedPassAtK)  # metrics that order like pass rates


@dataclass(frozen=True)
class Strategies:
    """What the configuration chose; built before any work, so that a mistake costs none."""

    data: Data
    replay: Replay | None
    generator: Generator | None
    generation: Generation
    budget: Fixed | Sequential
    reward: Reward | Auto
    scoring: Scoring
    measure: Measure
    metric: Metric
    bucketer: Bucketer
    sampler: Sampler
    rails: Rails
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
        if isinstance(bucketer, Recorded) and isinstance(data, Buckets) and bucketer.names is None:
            bucketer = replace(bucketer, names=data.names())
        budget, generation = build(cfg, "budget"), shared(Generation, "generator")
        metric = build(cfg, "metric")
        edges = shared(Edges, "bucketer")
        if isinstance(budget, Sequential):
            _require_rounds(budget, bucketer, generator, generation, edges, metric)
        return cls(
            data=data,
            replay=generator if isinstance(generator, Replay) else None,
            generator=None if isinstance(generator, Replay) else generator,
            generation=generation,
            budget=budget,
            reward=build(cfg, "reward"),
            scoring=shared(Scoring, "reward"),
            measure=typed(Measure, cfg["measure"], "measure"),
            metric=metric,
            bucketer=bucketer,
            sampler=build(cfg, "sampler"),
            rails=shared(Rails, "sampler"),
            trainer=None if cfg["trainer"]["_target_"] is None else build(cfg, "trainer"),
            schedule=shared(Schedule, "trainer"),
            tracking=build(cfg, "tracker"),
            seed=_seed(cfg["seed"]),
            limits=shared(Limits, "data"),
            edges=edges,
            export=export,
            layouts=[*_layouts(cfg["convention"]["layouts"]), *[GENERATIONS] * export.generations],
            report=typed(Report, cfg["report"], "report"),
            store=typed(Store, {"root": cfg["store_dir"]}, "store_dir"),
            until=_until(cfg["until"]),
        )

    def files(self) -> list[File]:
        """All files that the run reads."""
        return [*self.data.files(), *(self.replay.files() if self.replay else [])]


def _require_rounds(
    budget: Sequential,
    bucketer: Bucketer,
    generator: Generator | None,
    generation: Generation,
    edges: Edges,
    metric: Metric,
) -> None:
    """Raise UserError where rollouts can't be had in rounds."""
    if generator is None or isinstance(generator, Replay):
        raise UserError(
            "budget=sequential decides which rollouts to make: choose a generator that makes them, "
            "like generator=transformers"
        )
    if generation.shards > 1:
        raise UserError(
            "budget=sequential looks at all problems after each round, and a shard has a part of "
            "them: run it without generator.shards"
        )
    if getattr(generator, "temperature", 1) == 0 or not getattr(generator, "do_sample", True):
        raise UserError(
            "budget=sequential learns from responses that differ, and without sampling all of a "
            "problem's are the same: budget=fixed num_samples=1, or a generator.temperature above 0"
        )
    if edges.edges is not None and budget.keep is None:
        raise UserError(
            "budget=sequential asks which of this run's buckets a problem is in, not which of "
            "bucketer.edges: set bucketer.thresholds, or ask for a band with budget.keep=[0.1,0.9]"
        )
    if isinstance(bucketer, Percentile) and budget.keep is None and not isinstance(metric, RATES):
        raise UserError(
            "budget=sequential asks which share of pass rates a problem is in, and "
            f"bucketer=percentile cuts on {type(metric).__name__}: choose metric=pass_rate, or a "
            "band with budget.keep=[0.1,0.9]"
        )
    none = np.zeros(1, np.int64)
    question = question_of(budget.keep, bucketer, budget.cap, none, none)
    if not question.cuts:
        raise UserError(
            f"budget=sequential has nothing to decide: {type(bucketer).__name__} has no edge that "
            f"budget.cap={budget.cap} rollouts could tell from a pass rate of 0 or 1"
        )


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
