"""What two runs come to, in sentences: the same on the terminal and on the page."""

from __future__ import annotations

from curriculum.compare.change.luck import Range
from curriculum.compare.change.summary import AGAIN, FALSE, Change
from curriculum.compare.paired import LEVEL
from curriculum.core.names import EDGES


def caveats(found: Change) -> list[str]:
    """Why the runs don't, or not quite, compare."""
    joined, said = found.joined, []
    if not joined.same_edges:
        said.append(
            "The edges differ, so buckets may mean something else: "
            f"bucketer.edges={joined.before.folder / EDGES} applies those of the first run."
        )
    if not joined.same_passes:
        said.append("The runs count passes in different ways (measure.*): rates don't compare.")
    if joined.stopped_early:
        said.append(
            "A sequential budget has stopped rollouts by what they said: pass rates of single "
            "problems lean to the extremes, and luck is not quite what is said here."
        )
    return said


def mean(found: Change) -> str:
    """The change of the mean."""
    part = found.whole
    bounds = f"{part.change.low:+.3f} to {part.change.high:+.3f}"
    return (
        f"Mean pass rate {part.before:.3f} -> {part.after:.3f}: {part.change.mean:+.3f} "
        f"({bounds}, {_percent(LEVEL)} paired over the problems)."
    )


def changed(found: Change) -> str:
    """Who has changed for sure."""
    return (
        f"{found.changed:,} problems have changed by their own rollouts (Fisher's exact test, "
        f"at most {_percent(FALSE)} of them wrongly)."
    )


def ranks(found: Change) -> str:
    """Whether hard ones are still hard."""
    if found.rank_correlation is None or found.ranks_by_luck is None:
        return "There is no rank correlation: a run solves all problems equally often."
    luck = found.ranks_by_luck
    return (
        f"Rank correlation of the pass rates {found.rank_correlation:.3f}; a model that has not "
        f"changed would have {luck.low:.3f} to {luck.high:.3f} with itself."
    )


def moved(found: Change) -> str:
    """How many went which way, and what luck alone moves."""
    part = found.whole
    if part.easier is None or part.harder is None:
        return (
            "The buckets have other names, so none of these is a move to an easier or harder one."
        )
    count = part.easier + part.harder
    said = f"{count:,} moved: {part.easier:,} easier, {part.harder:,} harder."
    easier, harder, either = part.easier_by_luck, part.harder_by_luck, part.moved_by_luck
    if easier is None or harder is None or either is None:
        return f"{said} What luck moves is not known: passes alone don't say the bucket."
    if not found.joined.same_passes:
        return said
    verdict = "which is more than luck" if count > either.high else "and this is no more"
    return (
        f"{said} Luck alone would move {_range(either)} ({_range(easier)} easier, "
        f"{_range(harder)} harder), {verdict}."
    )


def again(found: Change) -> str:
    """Whether the first run still says how hard the problems are."""
    left = found.left
    if left is None or not found.joined.same_passes:
        return "Whether to measure again can't be said: how many luck would move is not known."
    share = (
        f"{_percent(left.expected)} of the problems ({_percent(left.low)} to {_percent(left.high)})"
    )
    said = f"{share} have left their bucket beyond luck"
    if found.again:
        return f"Measure again: {said}, more than {_percent(AGAIN)}."
    return f"No need to measure again: {said}, at most {_percent(AGAIN)}."


def _range(luck: Range) -> str:
    return f"{luck.low:,.0f} to {luck.high:,.0f}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
