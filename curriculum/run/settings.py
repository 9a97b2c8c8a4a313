"""The configuration as objects: every strategy, and the pipeline's own keys, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Self, TypeVar, cast

import numpy as np

from curriculum.bucketers import Bucketer, Percentile, Recorded
from curriculum.budgets import Fixed, Sequential, question_of
from curriculum.config.build import build, typed
from curriculum.config.plugins import keys
from curriculum.core.errors import UserError
from curriculum.data import Data, Limits, Rollouts
from curriculum.formats.files import File
from curriculum.generators import Generation, Generator
from curriculum.layouts import LAYOUTS, Export, Generations, Layout
from curriculum.metrics.metrics import (
    InverseMean,
    MeanReward,
    Measure,
    Metric,
    PassRate,
    UnbiasedPassAtK,
)
from curriculum.report import Report
from curriculum.rewards import Reward
from curriculum.run.bucketing import Edges
from curriculum.run.checks import conforming, require_used
from curriculum.run.scoring.scoring import Scoring
from curriculum.samplers import Rails, Sampler
from curriculum.trackers import Tracking
from curriculum.trainers import Schedule, Trainer

T = TypeVar("T")
STEPS = ("problems", "rollouts", "rewards", "metrics", "buckets", "layouts")  # that `until` names
RATES = (MeanReward, PassRate, InverseMean, UnbiasedPassAtK)  # metrics that order like pass rates


@dataclass(frozen=True)
class Settings:
    """What the configuration chose; built before any work, so that a mistake costs none."""

    data: Data
    replay: Rollouts | None  # where rollouts are, unless they stand with the problems or are made
    generator: Generator
    generation: Generation
    budget: Fixed | Sequential
    reward: Reward
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
    layouts: dict[str, Layout]
    report: Report
    until: str | None  # the step after which a run stops

    @classmethod
    def build(cls, cfg: Mapping[str, Any], overrides: Sequence[str] = ()) -> Self:
        """Make and check everything.

        Args:
            overrides: of the command line; what does nothing in this run is refused there.

        Raises:
            UserError: with group, key and cause, where one can't be built.
        """

        def shared(kind: type[T], group: str) -> T:
            """The pipeline's own keys of a group."""
            keys = {each.name for each in fields(cast(Any, kind))}
            return typed(kind, {k: v for k, v in cfg[group].items() if k in keys}, group)

        strange = set(cfg) - set(keys())
        if strange:
            raise UserError(f"unknown: {', '.join(sorted(strange))} (keys: {', '.join(keys())})")
        if not isinstance(cfg["store_dir"], str):
            raise UserError(f"store_dir={cfg['store_dir']}: a folder")
        data: Data = conforming(build(cfg, "data"), Data, "data")
        generator: Generator = conforming(build(cfg, "generator"), Generator, "generator")
        recorded = generator.recorded()
        replay = None if recorded is None else Rollouts(**recorded)
        if generator.replays:
            require_used(overrides)
        bucketer = build(cfg, "bucketer")
        if isinstance(bucketer, Recorded) and bucketer.names is None:
            bucketer = replace(bucketer, names=data.names())
        budget, generation = build(cfg, "budget"), shared(Generation, "generator")
        export = typed(Export, cfg["export"], "export")
        metric = build(cfg, "metric")
        edges = shared(Edges, "bucketer")
        if isinstance(budget, Sequential):
            _require_rounds(budget, bucketer, generator, generation, edges, metric)
        return cls(
            data=data,
            replay=replay,
            generator=generator,
            generation=generation,
            budget=budget,
            reward=conforming(build(cfg, "reward"), Reward, "reward"),
            scoring=shared(Scoring, "reward"),
            measure=typed(Measure, cfg["measure"], "measure"),
            metric=metric,
            bucketer=bucketer,
            sampler=build(cfg, "sampler"),
            rails=shared(Rails, "sampler"),
            trainer=None if cfg["trainer"]["_target_"] is None else build(cfg, "trainer"),
            schedule=shared(Schedule, "trainer"),
            tracking=conforming(build(cfg, "tracker"), Tracking, "tracker"),
            seed=_seed(cfg["seed"]),
            limits=shared(Limits, "data"),
            edges=edges,
            export=export,
            layouts=_layouts(cfg["convention"]["layouts"], export),
            report=typed(Report, cfg["report"], "report"),
            until=_until(cfg["until"]),
        )

    def files(self) -> list[File]:
        """All files that the run reads."""
        return [*self.data.files(), *(self.replay.files() if self.replay else [])]

    def reaches(self, step: str) -> bool:
        """Whether a run goes as far as a step of `STEPS`."""
        return self.until is None or STEPS.index(step) <= STEPS.index(self.until)


def _require_rounds(
    budget: Sequential,
    bucketer: Bucketer,
    generator: Generator,
    generation: Generation,
    edges: Edges,
    metric: Metric,
) -> None:
    """Raise UserError where rollouts can't be had in rounds."""
    if generator.replays:
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


def _until(step: str | None) -> str | None:
    if step is not None and step not in STEPS:
        raise UserError(f"until={step}: there are {', '.join(STEPS)}, or null for all")
    return step


def _layouts(names: Sequence[str], export: Export) -> dict[str, Layout]:
    """The layouts of these names, this package's or plugins', and what `export` asks for beside."""
    plugins = {point.name: point for point in entry_points(group="curriculum.layout")}
    taken = sorted(LAYOUTS.keys() & plugins.keys())
    if taken:
        raise UserError(f"a plugin's layout is called {taken[0]}, as one of this package is")
    unknown = [name for name in names if name not in LAYOUTS.keys() | plugins.keys()]
    if unknown:
        there = ", ".join([*LAYOUTS, *plugins])
        raise UserError(f"convention.layouts: no {unknown[0]}; there are {there}")
    chosen = {name: _layout(name, plugins) for name in names}
    return chosen | ({"generations": Generations()} if export.generations else {})


def _layout(name: str, plugins: Mapping[str, EntryPoint]) -> Layout:
    if name in LAYOUTS:
        return LAYOUTS[name]()
    point = plugins[name]
    try:
        layout = point.load()()
    except Exception as error:  # whatever a plugin's import raises
        cause = f"{type(error).__name__}: {error}"
        raise UserError(f"convention.layouts: no {name} from {point.value}: {cause}") from error
    return cast(Layout, conforming(layout, Layout, "convention.layouts"))
