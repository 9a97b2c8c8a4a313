"""The configuration as objects: every strategy, and the pipeline's own keys, checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Self, TypeVar, cast

from curriculum.bucketers import Bucketer
from curriculum.budgets import Budget, Setting
from curriculum.config.build import build, typed
from curriculum.config.conf import keys
from curriculum.config.plugins import load, plugins
from curriculum.core.errors import UserError
from curriculum.core.names import RECOMMENDED
from curriculum.data import Data, Limits, Rollouts
from curriculum.formats.files import File
from curriculum.generators import Generation, Generator
from curriculum.layouts import LAYOUTS, Export, Generations, Layout
from curriculum.metrics import Measure, Metric
from curriculum.report import Report
from curriculum.rewards import Reward
from curriculum.run.bucketing import Edges
from curriculum.run.checks import conforming, require_used
from curriculum.run.scoring.scoring import Scoring
from curriculum.samplers import Guards, Sampler
from curriculum.trackers import Tracking
from curriculum.trainers import Schedule, Trainer

log = logging.getLogger(__name__)

T = TypeVar("T")
STEPS = ("problems", "rollouts", "rewards", "metrics", "buckets", "layouts")  # that `until` names


@dataclass(frozen=True)
class Settings:
    """What the configuration chose; built before any work, so that a mistake costs none."""

    data: Data
    replay: Rollouts | None  # where rollouts are, unless they stand with the problems or are made
    generator: Generator
    generation: Generation
    budget: Budget | None  # None: nothing is measured
    reward: Reward
    scoring: Scoring
    measure: Measure
    metric: Metric
    bucketer: Bucketer
    recorded_order: list[str] | None  # of the data's buckets, where the bucketer wants it
    sampler: Sampler | None  # None: nothing is trained
    guards: Guards
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
        if isinstance(cfg["name"], list | dict):
            raise UserError(f"name={cfg['name']}: words, in quotes where there are commas")
        data: Data = conforming(build(cfg, "data"), Data, "data")
        generator: Generator = conforming(build(cfg, "generator"), Generator, "generator")
        recorded = generator.recorded()
        replay = None if recorded is None else Rollouts(**recorded)
        reward: Reward = conforming(build(cfg, "reward"), Reward, "reward")
        if reward.recorded_key is not None:
            data = data.counting(reward.recorded_key)
            replay = None if replay is None else replay.counting(reward.recorded_key)
        if generator.replays:
            require_used(overrides)
        bucketer: Bucketer = conforming(build(cfg, "bucketer"), Bucketer, "bucketer")
        export = typed(Export, cfg["export"], "export")
        trainer: Trainer | None = _chosen(cfg, "trainer", Trainer)
        settings = cls(
            data=data,
            replay=replay,
            generator=generator,
            generation=shared(Generation, "generator"),
            budget=_chosen(cfg, "budget", Budget),
            reward=reward,
            scoring=shared(Scoring, "reward"),
            schedule=shared(Schedule, "trainer"),  # before what takes its group_size
            measure=typed(Measure, cfg["measure"], "measure"),
            metric=conforming(build(cfg, "metric"), Metric, "metric"),
            bucketer=bucketer,
            recorded_order=data.names() if bucketer.wants_recorded_order else None,
            sampler=_chosen(cfg, "sampler", Sampler),
            guards=shared(Guards, "sampler"),
            trainer=trainer,
            tracking=conforming(build(cfg, "tracker"), Tracking, "tracker"),
            seed=_seed(cfg["seed"]),
            limits=shared(Limits, "data"),
            edges=shared(Edges, "bucketer"),
            export=export,
            layouts=_layouts(_names(cfg["convention"]["layouts"], trainer), export),
            report=typed(Report, cfg["report"], "report"),
            until=_until(cfg["until"]),
        )
        _require_both(settings)
        if settings.budget is None:
            _require_training(settings)
        elif not settings.budget.divisible:
            _require_rounds(settings, settings.budget)
        if settings.budget is not None and not settings.generator.replays:
            settings.budget.check(settings.setting())
        return settings

    def setting(self) -> Setting:
        """What the budget has to know of a run that generates."""
        between = partial(_pass_rates_between, self.bucketer, self.metric, self.edges)
        return Setting(self.generator.batch_size, between)

    def files(self) -> list[File]:
        """All files that the run reads."""
        return [*self.data.files(), *(self.replay.files() if self.replay else [])]

    def sources_named(self) -> dict[str, list[str]]:
        """Data sources that keys name, by key."""
        sampler = self.sampler.sources_named() if self.sampler else {}
        groups = {
            "sampler": {**self.guards.sources_named(), **sampler},
            "trainer": self.trainer.sources_named() if self.trainer else {},
            "export": self.export.sources_named(),
        }
        return {
            f"{group}.{setting}": names
            for group, named in groups.items()
            for setting, names in named.items()
        }

    def reaches(self, step: str) -> bool:
        """Whether a run goes as far as a step of `STEPS`."""
        return self.until is None or STEPS.index(step) <= STEPS.index(self.until)


def _chosen(cfg: Mapping[str, Any], group: str, protocol: type) -> Any:
    """The strategy of a group that may have none."""
    if cfg[group]["_target_"] is None:
        return None
    return conforming(build(cfg, group), protocol, group)


def _require_both(settings: Settings) -> None:
    """Say where a sampler is not tried. Raises UserError for a trainer without one."""
    if settings.sampler is None and settings.trainer is not None:
        raise UserError(
            f"a trainer needs an order of the prompts: sampler={RECOMMENDED}, or another"
        )
    if settings.export.order and settings.sampler is None:
        raise UserError(f"export.order wants a sampler: sampler={RECOMMENDED}, or another")
    if settings.trainer is None and settings.sampler is not None and not settings.export.order:
        log.warning("the sampler is not tried: trainer=none (trainer=dry_run tries it)")


def _require_training(settings: Settings) -> None:
    """Raise UserError where nothing is measured, and something needs it."""
    if settings.trainer is None or settings.trainer.needs_measured:
        raise UserError(
            "budget=none measures nothing, so there is only a model to train: trainer=trl or local"
        )
    if settings.until not in (None, "problems"):
        raise UserError(f"until={settings.until}: budget=none makes no rollouts")
    if settings.export.order:
        raise UserError("export.order draws with simulated rollouts at the measured pass rates")


def _require_rounds(settings: Settings, chosen: Budget) -> None:
    """Raise UserError where rollouts can't be had in rounds."""
    budget, generator = type(chosen).__name__, settings.generator
    if generator.replays:
        raise UserError(
            f"the budget ({budget}) decides which rollouts to make: choose a generator that makes "
            "them, like generator=transformers"
        )
    for group, shards in (
        ("generator", settings.generation.shards),
        ("reward", settings.scoring.shards),
    ):
        if shards > 1:
            raise UserError(
                f"the budget ({budget}) looks at all problems after each round, and a shard has a "
                f"part of them: run it without {group}.shards"
            )
    if not generator.responses_differ:
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


def _until(step: str | None) -> str | None:
    if step is not None and step not in STEPS:
        raise UserError(f"until={step}: there are {', '.join(STEPS)}, or null for all")
    return step


def _names(convention: Sequence[str], trainer: Trainer | None) -> list[str]:
    """Layouts of the convention, and those that the trainer reads."""
    return list(dict.fromkeys([*convention, *(trainer.layouts if trainer else ())]))


def _layouts(names: Sequence[str], export: Export) -> dict[str, Layout]:
    """The layouts of these names, this package's or plugins', and what `export` asks for beside."""
    added = plugins()["layout"]
    taken = sorted(LAYOUTS.keys() & added.keys())
    if taken:
        raise UserError(f"a plugin's layout is called {taken[0]}, as one of this package is")
    unknown = [name for name in names if name not in LAYOUTS.keys() | added.keys()]
    if unknown:
        there = ", ".join([*LAYOUTS, *added])
        raise UserError(f"convention.layouts: no {unknown[0]}; there are {there}")
    classes = {name: LAYOUTS.get(name) or load("layout", added[name]) for name in names}
    chosen = {
        name: conforming(cls(), Layout, "convention.layouts") for name, cls in classes.items()
    }
    return chosen | ({"generations": Generations()} if export.generations else {})
