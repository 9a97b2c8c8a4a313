"""Problems with their responses, a few of each bucket, for the page's browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from curriculum.core.records import Floats, Integers, Problems, Rollouts, evenly, reaches

RESPONSES = 8  # of a problem
LIMITS = range(4000, 199, -50)  # characters of a text: the first for which all texts fit


@dataclass(frozen=True)
class Room:
    """How much of a run a page has place for."""

    examples: int  # problems whose text is on it
    text: int = 3_700_000  # bytes of their texts together
    points: int = 2000  # problems in a scatter plot
    shared: bool = False  # with the pages of other jobs, in the folder of a sweep


@dataclass(frozen=True)
class Report:
    """`report` in conf/config.yaml."""

    examples: Annotated[int, Field(ge=0)] = 600

    def room(self, shared: bool) -> Room:
        """The room of a page that stands alone, or of one of a sweep's many: under 300 kB then."""
        if shared:
            return Room(min(self.examples, 24), text=70_000, points=250, shared=True)
        return Room(self.examples)


@dataclass(frozen=True)
class Examples:
    """Problems as JSON values, and how much of them there is."""

    problems: list[dict[str, Any]]
    limit: int  # characters of a text
    cut: int  # texts that are longer


def spread(bucket: Integers, hardness: Floats, buckets: int, count: int) -> Integers:
    """Rows of `count` problems: as many of each bucket as it has or may have, even in hardness.

    Args:
        bucket, hardness: (P,) of each problem.
        buckets: how many there are.
    """
    sizes = np.bincount(bucket, minlength=buckets)
    picked = []
    for left, one in zip(range(buckets, 0, -1), np.argsort(sizes, kind="stable"), strict=True):
        members = np.flatnonzero(bucket == one)
        quota = min(len(members), count // left)
        count -= quota
        in_order = members[np.argsort(hardness[members], kind="stable")]
        picked.append(in_order[evenly(len(members), quota)])
    rows = np.concatenate(picked)
    return np.asarray(rows[np.argsort(rows)])


def examples_of(
    problems: Problems, rollouts: Rollouts, rows: Integers, rewards: Rewarded | None, room: int
) -> Examples:
    """The problems with at most eight responses of each, passes and failures among them.

    Args:
        rows: of the problems.
        rewards: None where rollouts have none yet.
        room: bytes of all texts together.
    """
    table = problems.table.take(pa.array(rows))
    names = ("problem_id", "data_source", "prompt", "ground_truth")
    columns = zip(*(table[name].to_pylist() for name in names), strict=True)
    found = [
        {"id": name, "source": source, "prompt": messages(prompt), "truth": _plain(truth)}
        for name, source, prompt, truth in columns
    ]
    chosen = _responses(rollouts, rows, len(problems), rewards)
    texts = rollouts.texts(chosen).to_pylist()
    place = np.searchsorted(rows, rollouts.problem[chosen])
    numbers = rollouts.index["sample_idx"].take(pa.array(chosen)).to_pylist()
    cut_off = rollouts.index["finish_reason"].take(pa.array(chosen)).to_pylist()
    for each in found:
        each["responses"] = []
    verdicts = [None] * len(chosen) if rewards is None else rewards.told(chosen)
    for i, text, number, reason, verdict in zip(
        place.tolist(), texts, numbers, cut_off, verdicts, strict=True
    ):
        said = {"sample": number, "text": text, "truncated": reason == "length"}
        found[i]["responses"].append(said | (verdict or {}))
    limit, cut = _cut(found, room)
    return Examples(found, limit, cut)


@dataclass(frozen=True)
class Rewarded:
    """Rewards that line up with the rollouts, and what passes."""

    table: pa.Table  # as in `REWARD_SCHEMA`
    threshold: float
    strict: bool

    def kind(self, rows: Integers) -> npt.NDArray[np.int64]:
        """0 a failure, 1 a pass, 2 no reward."""
        reward = self.table["reward"].take(pa.array(rows)).to_numpy().astype(np.float64)
        passes = reaches(reward, self.threshold, strict=self.strict)
        return np.where(np.isnan(reward), 2, passes)

    def told(self, rows: Integers) -> list[dict[str, Any]]:
        """Reward, whether it passes, and the cause where there is none."""
        reward, failure = (
            self.table[name].take(pa.array(rows)).to_pylist() for name in ("reward", "failure")
        )
        return [
            {"reward": value, "passed": bool(kind == 1), "failure": cause}
            for value, cause, kind in zip(reward, failure, self.kind(rows), strict=True)
        ]


def messages(prompt: str) -> list[list[str | None]]:
    """[role, text] of each message of a chat; a single one without a role for any other prompt."""
    value = json.loads(prompt)
    if isinstance(value, list) and value and all(_is_message(each) for each in value):
        return [[str(each["role"]), _text(each["content"])] for each in value]
    return [[None, _text(value)]]


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and "role" in value and "content" in value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _plain(text: str | None) -> str | None:
    return None if text is None else _text(json.loads(text))


def _responses(
    rollouts: Rollouts, rows: Integers, problems: int, rewards: Rewarded | None
) -> Integers:
    """Ascending rows of the rollouts to show: the first of each kind, as many as there may be."""
    wanted = np.zeros(problems + 1, np.bool_)  # the last is where -1 looks
    wanted[rows] = True
    found = np.flatnonzero(wanted[rollouts.problem])
    problem = rollouts.problem[found]
    sample = rollouts.index["sample_idx"].to_numpy()[found]
    kind = np.zeros(len(found), np.int64) if rewards is None else rewards.kind(found)
    order = np.lexsort((sample, kind, problem))
    turn = np.empty(len(found), np.int64)
    turn[order] = _rank(problem[order] * 3 + kind[order])
    order = np.lexsort((kind, turn, problem))
    shown = order[_rank(problem[order]) < RESPONSES]
    return np.sort(found[shown])


def _rank(groups: Integers) -> Integers:
    """Place within its group, from 0, of each element of a sorted array."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    lengths = np.diff(np.append(first, len(groups)))
    return np.arange(len(groups)) - np.repeat(first, lengths)


def _cut(problems: list[dict[str, Any]], room: int) -> tuple[int, int]:
    """Shorten texts so that all fit; the limit, and how many are longer."""
    sizes = np.array([len(text.encode()) for each in problems for text in _texts(each)] or [0])
    fitting = (limit for limit in LIMITS if np.minimum(sizes, limit).sum() <= room)
    limit = next(fitting, LIMITS[-1])
    cut = 0
    for each in problems:
        cut += sum(len(text) > limit for text in _texts(each))
        each["prompt"] = [[role, _shortened(text, limit)] for role, text in each["prompt"]]
        each["truth"] = _shortened(each["truth"], limit)
        for response in each["responses"]:
            response["text"] = _shortened(response["text"], limit)
    return limit, cut


def _texts(problem: dict[str, Any]) -> Iterator[str]:
    yield from (text for _, text in problem["prompt"])
    yield problem["truth"] or ""
    yield from (response["text"] or "" for response in problem["responses"])


def _shortened(text: str | None, limit: int) -> str | None:
    """Beginning and end: an answer tends to stand at the end."""
    if text is None or len(text) <= limit:
        return text
    head = limit * 2 // 3
    left_out = f"\n\n… {len(text) - limit:,} characters left out …\n\n"
    return text[:head] + left_out + text[head - limit :]
