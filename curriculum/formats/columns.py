"""From original rows to problems: in which columns their fields stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from curriculum.formats.identity import canonical_prompt, named_by, to_json
from curriculum.formats.names import (
    MEDIA,
    ORIGINAL,
    PROMPTS,
    SOURCES,
    TRUTHS,
    FailedCalls,
    Names,
    Row,
)

NO_SOURCE = "unknown"  # the data_source of problems that have none
STAGE = "curriculum_stage"  # in the extra_info of stage files alone
Values = Mapping[str, Sequence[Any]]  # {column: a value a row}


class Described(NamedTuple):
    """Problems, a list a field: as in `PROBLEM_SCHEMA`."""

    problem_id: list[str]
    data_source: list[str]
    prompt: list[str]
    ground_truth: list[str | None]
    extra_info: list[str | None]
    data_idx: Sequence[int | None]


@dataclass(frozen=True)
class Columns:
    """Where the data keeps what a problem is made of (`data` in conf/config.yaml)."""

    id_key: str = "problem_id"
    prompt_key: str = "prompt"
    reward_fn_key: str = "reward_model"
    names: Names = field(default_factory=dict)  # data.columns
    reward_key: str | None = None  # of the number that counts; None: the reward
    failed_calls: FailedCalls = "excluded"

    def prompt(self, row: Row) -> Any:
        """The prompt of a row, None where it has none."""
        plain = unmarked(row)
        for name in self.prompt_names:
            if plain.get(name) is not None:
                return plain[name] or None  # an empty one is none
        return None

    def describe(self, values: Values, count: int) -> Described:
        """The problems in original rows, each of which has a prompt.

        Args:
            values: (count,) each, the columns under their own names, without `original_`.
        """
        nothing = [None] * count
        prompts = _said_first(values, self.prompt_names, nothing)
        sources, truths = self._sources_and_truths(values, nothing)
        asked = list(map(to_json, prompts))
        answers = [None if each is None else to_json(each) for each in truths]
        info = values.get("extra_info", nothing)
        ids = self._own_ids(values, info, nothing)
        if None in ids:
            content = _contents(sources, prompts, asked, answers, _media(values, nothing))
            pairs = zip(ids, content, strict=True)
            ids = [named_by(said) if own is None else own for own, said in pairs]
        return Described(
            [str(own) for own in ids],
            sources,
            asked,
            answers,
            [None if each is None else to_json(each) for each in info],
            values.get("data_idx", nothing),
        )

    def prompts(self, names: list[str]) -> list[str]:
        """Those of a file's columns that a prompt may stand in, the one to be preferred first."""
        marked = [f"{ORIGINAL}{name}" for name in self.prompt_names]
        pairs = zip(self.prompt_names, marked, strict=True)
        return [two if two in names else one for one, two in pairs if one in names or two in names]

    def telling(self, names: list[str]) -> list[str]:
        """Those of a file's columns that tell problems apart when there is no id."""
        known = (*self.prompt_names, *SOURCES, *TRUTHS, *MEDIA, self.reward_fn_key, "reward_model")
        return [name for name in names if name.removeprefix(ORIGINAL) in known]

    def describing(self, names: list[str]) -> list[str]:
        """Those of a file's columns that `describe` looks at."""
        own = {*self.telling(names), self.id_key, "extra_info", "data_idx"}
        return [name for name in names if name in own or name.removeprefix(ORIGINAL) in own]

    @cached_property
    def prompt_names(self) -> tuple[str, ...]:
        """Columns that a prompt may stand in, the one to be preferred first."""
        return tuple(dict.fromkeys((self.prompt_key, *PROMPTS[1:])))

    def _sources_and_truths(
        self, values: Values, nothing: Sequence[None]
    ) -> tuple[list[str], Sequence[Any]]:
        """`reward_fn_key` names the column with the ground truth, or, as in verl, the source."""
        given, model = (values.get(key, nothing) for key in (self.reward_fn_key, "reward_model"))
        sources, answers = (_said_first(values, names, nothing) for names in (SOURCES, TRUTHS))
        if given is nothing and model is nothing:
            return [str(source or NO_SOURCE) for source in sources], answers
        pairs = [
            self._source_and_truth(*each)
            for each in zip(given, model, sources, answers, strict=True)
        ]
        return [str(source or NO_SOURCE) for source, _ in pairs], [truth for _, truth in pairs]

    def _source_and_truth(self, value: Any, model: Any, source: Any, answer: Any) -> Any:
        truth = None
        if isinstance(value, Mapping):
            truth = value.get("ground_truth")
        elif isinstance(model, Mapping):
            source, truth = value or source, model.get("ground_truth")
        elif self.reward_fn_key not in SOURCES:
            truth = value
        return source, answer if truth is None else truth

    def _own_ids(
        self, values: Values, infos: Sequence[Any], nothing: Sequence[None]
    ) -> Sequence[Any]:
        """The data's own; stage files keep it in their extra_info."""
        ids = values.get(self.id_key, nothing)
        if infos is nothing or None not in ids:
            return ids
        return [
            info.get("problem_id")
            if own is None and isinstance(info, Mapping) and STAGE in info
            else own
            for own, info in zip(ids, infos, strict=True)
        ]


def columns_of(rows: Sequence[Row]) -> Values:
    """Rows as columns under their own names, None where a row has no such."""
    plain = list(map(unmarked, rows))
    names = dict.fromkeys(name for row in plain for name in row)
    return {name: [row.get(name) for row in plain] for name in names}


def unmarked(row: Row) -> Row:
    """The row with its `original_*` columns under their own names."""
    marked = [name for name in row if name.startswith(ORIGINAL)]
    return {**row, **{name.removeprefix(ORIGINAL): row[name] for name in marked}} if marked else row


def _said_first(values: Values, names: Sequence[str], nothing: Sequence[None]) -> Sequence[Any]:
    """Of each row the first of these columns that says anything."""
    found = nothing
    for name in names:
        if name in values:
            pairs = zip(found, values[name], strict=True)
            found = (
                values[name]
                if found is nothing
                else [two if one is None else one for one, two in pairs]
            )
    return found


def _media(values: Values, nothing: Sequence[None]) -> Sequence[Row | None]:
    names = [name for name in MEDIA if name in values]
    if not names:
        return nothing
    rows = zip(*(values[name] for name in names), strict=True)
    return [{name: each for name, each in zip(names, row, strict=True) if each} for row in rows]


def _contents(
    sources: Sequence[str],
    prompts: Sequence[Any],
    asked: Sequence[str],
    truths: Sequence[str | None],
    media: Sequence[Row | None],
) -> Iterator[str]:
    """What tells each problem apart, as JSON text."""
    quoted = {source: to_json(source) for source in set(sources)}
    for source, prompt, said, truth, shown in zip(
        sources, prompts, asked, truths, media, strict=True
    ):
        asks = said if isinstance(prompt, str) else to_json(canonical_prompt(prompt))
        beside = f", {to_json(shown)}" if shown else ""
        yield f"[{quoted[source]}, {asks}, {truth or 'null'}{beside}]"
