"""The page of a run: when it has done all, when it stopped early, and when it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.charts import ACCENT, GREY, Spec, easy_to_hard
from curriculum.core.errors import UserError, explain
from curriculum.core.measured import Measured
from curriculum.core.names import METRICS, REJECTS
from curriculum.core.records import Problems, Rollouts
from curriculum.core.run_result import PACKAGES, RunResult
from curriculum.core.secrets import redacted
from curriculum.report import buckets
from curriculum.report.difficulty import WHISKERS, cut_on, histogram, whiskers
from curriculum.report.examples import Room, examples_of, in_order, measured_examples, spread
from curriculum.report.lengths import lengths_of
from curriculum.report.library import Library
from curriculum.report.page import write
from curriculum.report.points import points
from curriculum.report.responses import Rewarded
from curriculum.report.training import first_events, read_steps
from curriculum.trainers.parts import charts as of_training

READING = ("problems", "replay")  # steps that say what they took of each file
# Choices that say what a run was about.
TELLING = (
    *("preset", "convention", "data", "generator", "budget"),
    *("reward", "metric", "bucketer", "sampler", "trainer"),
)


def of_run(
    outcome: Measured, result: RunResult, folder: Path, library: Library, room: Room
) -> Path:
    """The page of a run that has done all that was asked of it."""
    names = list(outcome.buckets.names)
    colors = easy_to_hard(names)
    metric, edges = cut_on(outcome)
    hard = outcome.metrics.sortable()
    chosen = spread(outcome.buckets.assignment, hard, len(names), room.examples)
    basis = outcome.metrics.basis
    rewards = Rewarded(outcome.rewards, basis["threshold"], basis["strict"])
    browser, lengths = measured_examples(outcome, rewards, chosen, hard, room)
    rows = buckets.rows_of(outcome, metric)
    values = outcome.metrics[metric]
    charts: dict[str, Spec | None] = {
        "histogram": histogram(values, outcome.buckets.assignment, names, colors, edges),
        "whiskers": whiskers(outcome, colors),
        "reach": buckets.reach(rows, colors),
        "sources": buckets.sources(outcome, colors),
    }
    trained = _training(result, folder, names, colors, charts)
    scatter = points(outcome, chosen, room.points)
    shown = {
        "tiles": _tiles(result, folder, outcome.rollouts),
        "metric": metric,
        "group_size": outcome.metrics.group_size,
        "edges": edges,
        "level": f"{result.config['measure']['level']:.0%}".replace("%", " %"),
        "bucketing": outcome.bucketing,
        "edges_of": result.config["bucketer"]["edges"],
        "whiskers": WHISKERS,
        "infinite": int((~np.isfinite(values)).sum()),
        "rows": rows,
        "lengths": lengths_of(outcome, rewards, lengths),
        "source_rows": buckets.costs(outcome),
        "legend": list(zip(names, colors, strict=True)),
        "points": len(scatter["id"]),
        "all_problems": len(outcome.metrics),
        "budget": result.results.get("budget"),
        "training": trained,
        "examples": browser,
        "room": room,
        "sources": sorted({each["source"] for each in browser.problems}),
        **_about(outcome.label, result, folder, "completed"),
    }
    data = {
        "charts": {name: spec for name, spec in charts.items() if spec is not None},
        "points": scatter,
        "buckets": [
            {"name": name, "color": each} for name, each in zip(names, colors, strict=True)
        ],
        "problems": browser.problems,
        "formulas": browser.rendered.formulas,
        "sources": shown["sources"],
    }
    scripts = ("data.js", "charts.js", "points.js", "rendered.js", "examples.js", "run.js")
    return write(folder, "run.html", scripts, data, library, shown)


def of_rollouts(
    problems: Problems, rollouts: Rollouts, result: RunResult, folder: Path, room: Room
) -> Path:
    """The page of a run that stopped when there were rollouts: problems and responses."""
    one = np.zeros(len(problems), np.int64)
    chosen = spread(one, np.arange(len(problems), dtype=np.float64), 1, room.examples)
    browser, _ = examples_of(problems, rollouts, chosen, None, room.text)
    for place, each in enumerate(browser.problems):
        each["hardness"] = place
    browser = in_order(browser, np.arange(len(chosen)), room)
    shown = {
        "tiles": _tiles(result, folder),
        "examples": browser,
        "room": room,
        "all_problems": len(problems),
        "sources": sorted({each["source"] for each in browser.problems}),
        "legend": [],
        **_about("Rollouts without rewards", result, folder, "stopped at its rollouts"),
    }
    data = {
        "problems": browser.problems,
        "formulas": browser.rendered.formulas,
        "sources": shown["sources"],
        "buckets": [],
    }
    scripts = ("data.js", "rendered.js", "examples.js", "rollouts.js")
    return write(folder, "rollouts.html", scripts, data, None, shown)


def of_failure(result: RunResult, folder: Path, error: BaseException) -> Path:
    """The page of a run that failed: what went wrong, and what was asked for."""
    kind = type(error).__name__
    message = explain(error) if isinstance(error, UserError) else f"{kind}: {error}"
    message = str(redacted(message))
    what = f"This run {'was ' * (result.status == 'interrupted')}{result.status}"
    shown = {
        "tiles": _tiles(result, folder),
        **_about(what, result, folder, result.status, message),
    }
    return write(folder, "failed.html", (), {}, None, shown)


def _training(
    result: RunResult,
    folder: Path,
    names: list[str],
    colors: list[str],
    charts: dict[str, Spec | None],
) -> dict[str, Any] | None:
    """What the page says of the training; its charts are added to the others."""
    results = result.results.get("training")
    if results is None or not (folder / METRICS).exists():
        return None
    steps = read_steps(folder)
    shares = {name: each for name, each in steps.shares("bucket").items() if name in names}
    shown_colors = [colors[names.index(name)] for name in shares]
    sources = of_training.biggest(steps.shares("source"))
    source_colors = of_training.source_colors(list(sources))
    if shares:
        charts["bucket_mix"] = of_training.mix(steps, shares, shown_colors, "bucket")
    if sources:
        charts["source_mix"] = of_training.mix(steps, sources, source_colors, "source")
    for name, (column, _, _) in of_training.CURVES.items():
        if column in steps:
            charts[name] = of_training.curves(steps, name)
    arms: Mapping[str, Any] = results.get("arms", {})
    if arms:
        charts["spent"] = of_training.spent(arms)
    return {
        "results": results,
        "arms": arms,
        "level_ups": steps.level_ups(),
        "events": first_events(steps),
        "events_in_all": len(steps.events),
        "sources": list(zip(sources, source_colors, strict=True)),
        "sampler": result.choices["sampler"],
        "each": -(-steps.count // len(steps.groups)),
        "legend": [("sampler", ACCENT)]
        + [("control", GREY)] * ("control/step" in steps or len(arms) > 1),
        "has": {name for name, spec in charts.items() if spec is not None},
    }


def _about(
    what: str, result: RunResult, folder: Path, status: str, error: str | None = None
) -> dict[str, Any]:
    """What every page of a run says of it and of where it comes from.

    Args:
        what: its heading, unless the run was given a name.
    """
    given = {name: result.choices.get(name) for name in TELLING}
    choices = {name: each for name, each in given.items() if each not in (None, "None")}
    if any(name.startswith("rollouts") for name in result.stages):  # made here
        choices["model"] = result.config["model"]["path"]
    if "reward" in result.results:
        choices["reward"] = result.results["reward"]
    return {
        "title": what if result.name is None else result.name,
        "subtitle": None if result.name is None else what,
        "status": status,
        "error": error,
        "choices": choices,
        "overrides": " ".join(result.overrides),
        "folder": str(folder),
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": result.git_commit,
        "versions": {name: result.versions[name] for name in PACKAGES},
        "seconds": result.seconds,
        "stages": result.stages,
        "next": result.results.get("next"),
        "took": [line for step in READING for line in result.results.get(f"{step}_took", [])],
        "rejects": _rejects(result, folder),
        "config": json.dumps(result.config, indent=1, ensure_ascii=False),
    }


def _tiles(result: RunResult, folder: Path, rollouts: Rollouts | None = None) -> dict[str, str]:
    """The numbers that a run has come to, as far as it went."""
    results, rejected = result.results, sum(_rejects(result, folder).values())
    forms = {
        "problems": ("total_problems", ","),
        "rollouts": ("total_rollouts", ","),
        "mean pass rate": ("mean_pass_rate", ".3f"),
        "rollouts cut off": ("truncated_rollouts", ","),
    }
    tiles = {
        title: format(results[key], form) for title, (key, form) in forms.items() if key in results
    }
    if rollouts is not None and rollouts.index["finish_reason"].null_count == len(rollouts):
        tiles.pop("rollouts cut off", None)  # nothing says how any of them ended
    if "buckets" in results:
        tiles["buckets"] = str(len(results["buckets"]))
    return tiles | ({"rejected": f"{rejected:,}"} if tiles or rejected else {})


def _rejects(result: RunResult, folder: Path) -> dict[str, int]:
    """Files of what could not be used, and how many there are in each."""
    found = sorted((folder / REJECTS).glob("*"))
    counts = result.counts
    return {
        f"{REJECTS}/{path.name}": counts.get(path.stem, counts.get(f"rejected_{path.stem}", 0))
        for path in found
    }
