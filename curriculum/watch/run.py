"""What there is to see of a run under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curriculum.report import FILE
from curriculum.report.run import TELLING
from curriculum.watch import rollouts
from curriculum.watch.bars import Bar, bars_of
from curriculum.watch.charts import of_course
from curriculum.watch.log import Log, Round, read_log
from curriculum.watch.page import View
from curriculum.watch.setup import Setup, read_setup
from curriculum.watch.standing import RUNNING, STARTING, UNDER_WAY, Standing, standing_of
from curriculum.watch.training import Course, bucket_names, read_course

TEMPLATE = "run.html"
TOLD = 100  # events
NOTHING = Course(None, ())


@dataclass(frozen=True)
class Sight:
    """What the files of a run tell at one moment."""

    folder: Path
    standing: Standing
    setup: Setup | None = None  # None: it is starting, or Hydra did not start it
    log: Log = field(default_factory=Log)
    course: Course = NOTHING
    bars: Sequence[Bar] = ()
    rollouts: int = 0  # made or taken from the store, in all rounds
    rounds: Sequence[tuple[Round, int | None]] = ()  # with the rollouts of each

    @property
    def where(self) -> str:
        """Where it runs, and what it waits for there."""
        if self.standing.status not in UNDER_WAY:
            return ""
        waits = f", waits for the {self.log.awaited} that another run is making"
        return self.standing.explanation + (waits if self.log.awaited else "")

    @property
    def done(self) -> bool:
        """Whether nothing more is to come, and the run's own page says it better."""
        return self.standing.over and (self.folder / FILE).exists()


def look(folder: Path) -> Sight:
    """At a run."""
    setup = read_setup(folder)
    standing = standing_of(folder, setup)
    if setup is None or standing.status == STARTING:
        return Sight(folder, standing, setup)
    log = read_log(folder, setup.began)
    course = read_course(folder, setup, log)
    store = setup.store
    entries = [] if store is None else list(rollouts.under_way(folder, store))
    whole = {} if store is None else {each: rollouts.generated(store, each) for each in log.entries}
    made = [each.rollouts for each in entries if each.work == rollouts.GENERATING]
    return Sight(
        folder,
        standing,
        setup,
        log,
        course,
        bars_of(entries, log, course, setup.steps, standing.status == RUNNING),
        sum(made) + sum(filter(None, whole.values())),
        [(each, whole.get(each.entry or "")) for each in log.rounds],
    )


def view(folder: Path) -> View:
    """Of a run, for its page."""
    seen = look(folder)
    steps = seen.course.steps
    figures = of_course(steps, bucket_names(folder)) if steps else []
    choices = seen.setup.choices if seen.setup else {}
    shown = {
        "title": folder.resolve().name,
        "overrides": " ".join(seen.setup.overrides) if seen.setup else "",
        "folder": str(folder),
        "status": seen.standing.status,
        "where": seen.where,
        "error": "" if seen.where else seen.standing.explanation,
        "choices": {name: choices[name] for name in TELLING if _is_one(choices.get(name))},
        "tiles": _tiles(seen),
        "bars": seen.bars,
        "rounds": seen.rounds,
        "figures": figures,
        # That it is a simulation, for one.
        "notes": [event["text"] for event in seen.course.events if event["step"] == 0],
        "events": list(reversed(seen.course.events))[:TOLD],
        "events_in_all": len(seen.course.events),
        "log": "\n".join(seen.log.tail),
    }
    return View(TEMPLATE, shown, {each.name: each.chart for each in figures}, seen.done)


def _tiles(seen: Sight) -> dict[str, str]:
    """The numbers that it has come to."""
    tiles = {"rollouts": f"{seen.rollouts:,}"} if seen.rollouts else {}
    if seen.course.rate is not None:
        step, rate = seen.course.rate
        tiles[f"mean pass rate, step {step:,}"] = f"{rate:.3f}"
    levels = sum(event["event"] == "level_up" for event in seen.course.events)
    return tiles | ({"level-ups": f"{levels:,}"} if levels else {})


def _is_one(option: str | None) -> bool:
    return option not in (None, "None", "none", "null")
