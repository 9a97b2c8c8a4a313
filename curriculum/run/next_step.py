"""What to do with what a run has found: one command."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from curriculum.core.measured import Measured
from curriculum.core.names import RECOMMENDED
from curriculum.core.program import program
from curriculum.run.context import Context
from curriculum.run.settings import Settings

ENOUGH = 0.5  # share of groups with a gradient, from which there is nothing to filter
SHARD = tuple(f"{group}.{key}" for group in ("generator", "reward") for key in ("shards", "shard"))
# Keys that the next run has of its own; it is one of all shards' work.
OF_THIS_RUN = ("output_dir", "overwrite", "trust", "until", "resume", "name", *SHARD)


class Next(NamedTuple):
    """A command, and what it is for."""

    why: str
    overrides: list[str]

    @property
    def command(self) -> str:
        """To copy."""
        return " ".join([program(), *map(shlex.quote, self.overrides)])


def next_step(settings: Settings, measured: Measured, context: Context) -> Next | None:
    """What fits this run; None where it is one of several."""
    if not context.show:
        return None
    own = _kept(context)
    if settings.until is not None:
        return Next("go on with its buckets and files", own)
    if settings.trainer is not None:
        return _after_training(settings, own, context)
    if "stages" in settings.layouts:
        return _after_stages(settings, measured, own)
    return _stages(own, context)


def after_shards(context: Context) -> Next | None:
    """What fits a run that has left the rest to other shards; None where it is one of several."""
    return Next("go on, once all shards are there", _kept(context)) if context.show else None


def _after_training(settings: Settings, own: list[str], context: Context) -> Next:
    sampler, trainer = context.choices["sampler"], context.choices["trainer"]
    rest = [each for each in own if _key(each) not in ("sampler", "trainer", "seed")]
    if settings.trainer is not None and settings.trainer.needs_measured:
        # Where no model is named it is the demo's, small enough to be trained on one core.
        named = any(_key(each) == "model.path" for each in own)
        trainer, extra = ("trl", "trl") if named else ("local", "torch")
        chosen = [f"sampler={sampler}", f"trainer={trainer}"]
        return Next(f"train the model in that order (extra: {extra})", [*rest, *chosen])
    swept = [f"trainer={trainer}", f"sampler=uniform,{sampler}", "seed=1,2,3"]
    return Next("hold it against a control, in several seeds", ["-m", *rest, *swept])


def _after_stages(settings: Settings, measured: Measured, own: list[str]) -> Next:
    export, few = settings.export, measured.metrics["groups_with_gradient"].mean() < ENOUGH
    if few and export.filter == "all" and export.keep is None:
        rest = [each for each in own if _key(each) not in ("export.filter", "export.combine")]
        chosen = ["export.filter=gradient", "export.combine=true", "export.control=true"]
        return Next("keep what is worth training on, beside a control", [*rest, *chosen])
    return Next("try an order of its prompts", [*own, f"sampler={RECOMMENDED}"])


def _stages(own: list[str], context: Context) -> Next:
    choices = context.choices
    if choices.get("preset") == "bucket_rollouts":
        chosen = ["preset=prepare_stages", f"data.path={context.folder}"]
        return Next("make stages of its buckets", chosen)
    kept = [each for each in own if _key(each) not in ("preset", "convention")]
    # What the preset chooses otherwise.
    chosen = ["preset=curriculum", f"data={choices['data']}"]
    chosen += [f"{group}={choices[group]}" for group in ("metric", "bucketer")]
    kept = [each for each in kept if _key(each) not in ("data", "metric", "bucketer")]
    return Next("make training files of its buckets", [*chosen, *kept])


def _kept(context: Context) -> list[str]:
    return [each for each in context.overrides if _key(each) not in OF_THIS_RUN]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
