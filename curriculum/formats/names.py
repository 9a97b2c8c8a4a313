"""What files call the parts of a problem and of a rollout, and how `data.columns` names others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from curriculum.core.errors import UserError

Steps = int | tuple[int, int] | None  # of a training: one, first to last; None: there is but one
FailedCalls = Literal["excluded", "wrong"]
Row = Mapping[str, Any]
Names = Mapping[str, str | int]  # {role: column, dotted where it is inside of one, or a number}
ROLES = (
    *("problem_id", "data_source", "prompt", "ground_truth", "extra_info", "data_idx"),
    *("sample_idx", "response", "reward", "finish_reason", "error", "step"),
    *("pass_rate", "passes", "n"),
)

PROMPTS = ("prompt", "messages", "input", "question", "problem")
SOURCES = ("data_source", "source")
TRUTHS = ("ground_truth", "gts", "answer", "gt")
POLICIES = ("model", "model_name", "model_id", "temperature")  # of which a rate is of one alone
MEDIA = ("images", "image", "videos", "video", "audios", "audio")  # as verl and datasets say
RESPONSES = (
    *("response", "responses", "output", "outputs", "completion", "completions"),
    *("generation", "generations", "samples", "code", "pred"),
)
REWARDS = ("reward", "rewards", "scores", "score", "is_correct", "correct", "passed", "acc")
REASONS = ("finish_reason", "finish_reasons", "stop_reason")
ERRORS = ("error", "errors")

RATES = ("pass_rate", "difficulty", "solve_rate", "success_rate")
PASSES, NUMBERS = ("passes", "c"), ("n", "num_samples")

# What a row may call each role; a column that `data.columns` names stands in the place of all.
COUNTING = ("pass_rate", "passes", "n")  # roles
COUNTED = (*RATES, *PASSES, *RESPONSES, *REWARDS)
KNOWN: dict[str, tuple[str, ...]] = {
    "prompt": PROMPTS,
    "data_source": SOURCES,
    "ground_truth": (*TRUTHS, "reward_model"),
    "response": RESPONSES,
    "reward": REWARDS,
    "finish_reason": REASONS,
    "error": ERRORS,
    "pass_rate": COUNTED,
    "passes": COUNTED,
    "n": NUMBERS,
}
ORIGINAL = "original_"  # how rollout files may mark the columns of the problem


def checked(names: Names | None) -> None:
    """Raise UserError for a role in `data.columns` that there is not."""
    strange = [role for role in names or () if role not in ROLES]
    if strange:
        raise UserError(f"data.columns: no {strange[0]}; there are {', '.join(ROLES)}")


def dig(row: Row, path: str | int) -> Any:
    """The value under a column, or inside of one: `metrics.acc`; None where there is none.

    A number stands for itself: `n: 64`, of data that says its rollouts nowhere.
    """
    if isinstance(path, int) or path in row:
        return path if isinstance(path, int) else row[path]
    head, _, rest = path.partition(".")
    inner = row.get(head)
    return dig(inner, rest) if rest and isinstance(inner, Mapping) else None


def mapped(row: Row, names: Names, raw: Row) -> Row:
    """The row with what `data.columns` names under the name of its role, and nothing else there."""
    if not names:
        return row
    kept = {name: value for name, value in row.items() if not hidden(name, names)}
    return {**kept, **{role: dig(raw, path) for role, path in names.items()}}


def hidden(name: str, names: Names) -> bool:
    """Whether a column is one of those that `data.columns` names another for."""
    plain = name.removeprefix(ORIGINAL)
    return any(plain == role or plain in KNOWN.get(role, ()) for role in names)


def require(names: Names, found: Iterable[Row], file: str) -> None:
    """Raise UserError where not one of a file's rows has a column that `data.columns` names."""
    rows = list(found)
    for role, path in names.items():
        if rows and all(dig(row, path) is None for row in rows):
            columns = dict.fromkeys(name for row in rows for name in row)
            raise UserError(
                f"{file}: no row has {path}, which data.columns.{role} names (its columns: "
                f"{', '.join(columns)})"
            )


def first(row: Row, names: Collection[str]) -> str | None:
    """The first of the names under which the row says something."""
    for name in names:
        if row.get(name) is not None:
            return name
    return None
