"""Which problems are worth training on, and why each of the others is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.core.errors import UserError
from curriculum.core.measured import Measured
from curriculum.core.posterior import mass_between, priors
from curriculum.core.records import Booleans, Integers, reaches
from curriculum.formats.identity import prompt_identity
from curriculum.layouts.settings import Export

PASSING = 0.5  # the reward from which `passing_only` takes a response
KEPT = ""
NO_GRADIENT, TOO_EASY, TOO_HARD = "no gradient", "too easy", "too hard"
UNKNOWN_HARD, SAME_PROMPT = "unknown hard", "same prompt"
NO_REWARD, OVER = "no such reward", "over export.per_source"

Causes = npt.NDArray[np.object_]  # (P,) KEPT, or why a problem is left out


def select(outcome: Measured, export: Export, held: Booleans, chosen: Booleans) -> Causes:
    """(P,) why each problem is left out, `KEPT` where it is not.

    `export.filter` and `export.keep` are about both sides, what follows about the training side.

    Args:
        held: (P,) the problems of the validation side.
        chosen: (P,) those of the buckets that become stages.

    Raises:
        UserError: where `export.per_source` names a source that there is not.
    """
    causes = np.full(len(outcome.measured), KEPT, object)
    _leave_out(causes, _filtered(outcome, export))
    if export.keep is not None:
        _leave_out(causes, _outside(outcome, export.keep, export.confidence))
    trained = ~held & chosen
    if export.unique:
        prompts = outcome.problems.at(outcome.measured)["prompt"].to_pylist()
        _leave_out(causes, _repeated(prompts, trained & (causes == KEPT)))
    if export.per_source is not None:
        _leave_out(causes, _over(outcome, export, trained & (causes == KEPT)))
    return causes


def control(outcome: Measured, places: Integers, pool: Integers, seed: int) -> Integers:
    """As many problems of the pool, of the same sources, drawn at random: ascending places."""
    source = outcome.problems.at(outcome.measured)["data_source"].to_numpy()
    rng, drawn = np.random.default_rng([seed, 1]), []
    for name in np.unique(source[places]):
        there = pool[source[pool] == name]
        drawn.append(rng.choice(there, int((source[places] == name).sum()), replace=False))
    return np.sort(np.concatenate([np.zeros(0, np.int64), *drawn]))


def replayed(causes: Causes, outcome: Measured, pool: Integers, count: int, seed: int) -> Integers:
    """Some problems that the model solves already and that were left out: ascending places."""
    solved = outcome.metrics["c"] == outcome.metrics["n"]
    easy = (causes == TOO_EASY) | ((causes == NO_GRADIENT) & solved)
    there = pool[easy[pool]]
    rng = np.random.default_rng([seed, 2])
    return np.sort(rng.choice(there, min(count, len(there)), replace=False))


def _leave_out(causes: Causes, why: Causes) -> None:
    """Note why problems are left out that are not yet."""
    new = (causes == KEPT) & (why != KEPT)
    causes[new] = why[new]


def _filtered(outcome: Measured, export: Export) -> Causes:
    metrics = outcome.metrics
    kept: dict[str, Callable[[], Booleans]] = {
        "all": lambda: np.ones(len(metrics), np.bool_),
        "best_only": lambda: reaches(metrics["max_reward"], 0, strict=True),
        "passing_only": lambda: reaches(metrics["max_reward"], PASSING, strict=False),
        "gradient": lambda: metrics["groups_with_gradient"] >= export.gradient,
    }
    cause = NO_GRADIENT if export.filter == "gradient" else NO_REWARD
    return np.where(kept[export.filter](), KEPT, cause).astype(object)


def _outside(outcome: Measured, band: list[float], confidence: float) -> Causes:
    """Why the pass rate is probably not within the band.

    Never solved, and yet not known to be below it, is a cause of its own.
    """
    metrics, (low, high) = outcome.metrics, band
    n, c = metrics["n"], metrics["c"]
    source = outcome.problems.at(outcome.measured)["data_source"].to_numpy()
    inside, above = np.empty(len(n)), np.empty(len(n))
    for rows, prior in priors(n, c, source, metrics.prior):
        inside[rows] = mass_between(n[rows], c[rows], prior, low, high)
        above[rows] = mass_between(n[rows], c[rows], prior, high, 1)
    below = 1 - inside - above
    causes = np.where(above > below, TOO_EASY, TOO_HARD).astype(object)
    causes[(c == 0) & (below < confidence) & (above <= below)] = UNKNOWN_HARD
    causes[inside >= confidence] = KEPT
    return causes


def _repeated(prompts: list[str], trained: Booleans) -> Causes:
    seen: set[str] = set()
    causes = np.full(len(prompts), KEPT, object)
    for place in np.flatnonzero(trained):
        prompt = prompt_identity(prompts[place])
        causes[place] = SAME_PROMPT if prompt in seen else KEPT
        seen.add(prompt)
    return causes


def _over(outcome: Measured, export: Export, trained: Booleans) -> Causes:
    source = outcome.problems.at(outcome.measured)["data_source"].to_numpy()
    wanted: dict[str, Any] = export.per_source or {}
    strange = sorted(set(wanted) - set(source.tolist()))
    if strange:
        there = ", ".join(sorted(set(source.tolist())))
        raise UserError(f"export.per_source: no source {strange[0]}; there are {there}")
    causes = np.full(len(source), KEPT, object)
    rng = np.random.default_rng([export.seed, 0])
    for name, count in sorted(wanted.items()):
        places = rng.permutation(np.flatnonzero(trained & (source == name)))
        causes[places[count:]] = OVER
    return causes
