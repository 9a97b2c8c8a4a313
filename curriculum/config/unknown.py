"""An option that there is not: those that may be meant, of its own group before others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf import OmegaConf

from curriculum.config.build import load
from curriculum.config.conf import GROUPS, conf_dir, options_in, sweeps_dir
from curriculum.core.errors import UserError, did_you_mean
from curriculum.core.program import program

MOST = 3  # that are asked about
SHORT = 2  # letters, which many a word has
NO_PRIMARY = "Cannot find primary config"  # Hydra's words
COLUMN = re.compile(r"(.*?)(\d+|k)")  # mean@5, and mean@k, as the docs call all of them


@contextmanager
def explained() -> Iterator[None]:
    """Turn Hydra's word for an option, or a configuration, that there is not into a UserError."""
    try:
        yield
    except MissingConfigException as error:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        if str(error).startswith(NO_PRIMARY):
            raise UserError(_no_configuration(name)) from None
        if not group or not error.options:
            raise
        meant = list(dict.fromkeys(_meant(group, name, error.options)))[:MOST]
        question = f"; did you mean {' or '.join(meant)}?" if meant else ""
        raise UserError(
            f"Could not find '{group}/{name}'{question}\n"
            f"options of {group}: {', '.join(error.options)}"
        ) from None


def _no_configuration(name: str) -> str:
    ready_made = [path.stem for path in sorted(sweeps_dir().glob("*.yaml"))]
    return (
        f"there is no configuration {name}{did_you_mean(name, ready_made)}\n"
        f"ready-made: {', '.join(ready_made)}; -cd FOLDER is for those of your own"
    )


def _meant(group: str, name: str, options: Sequence[str]) -> Iterator[str]:
    """What may be meant, the likeliest first, as it is typed."""
    columns = list(_columns(group, name))
    if columns:
        yield from columns
        return
    yield from (f"{group}={option}" for option in _nearest(group, name, options))
    if group == "data" and Path(name).exists():
        yield f"{program()} {name}"
    yield from (f"{other}={name}" for other in GROUPS if name in options_in(other))


def _columns(group: str, name: str) -> Iterator[str]:
    """Options with a key k whose column has this name: pass@4 is unbiased_pass_at_k of k=4."""
    told = COLUMN.fullmatch(name)
    if told is None:
        return
    for option in options_in(group):
        target = OmegaConf.select(OmegaConf.load(conf_dir() / group / f"{option}.yaml"), "_target_")
        cls: Any = load(target, group) if target else None
        if cls is None or "k" not in {field.name for field in fields(cls)}:
            continue
        k = int(told[2]) if told[2].isdecimal() else cls().k
        column = getattr(cls(k=k), "name", None)
        spelled = option.removesuffix("k") + told[2]  # mean_at_5
        if name in (column, spelled, str(column).removesuffix(str(k)) + "k"):
            yield f"{group}={option} {group}.k={k}"


def _nearest(group: str, name: str, options: Sequence[str]) -> list[str]:
    """By their letters, else by what their files say of them."""
    wanted = _letters(name)
    holding = [each for each in options if _one_in_other(wanted, _letters(each))]
    if holding and len(wanted) > SHORT:
        return sorted(holding, key=lambda each: -SequenceMatcher(a=name, b=each).ratio())
    near = get_close_matches(name, options, n=1)
    if near or len(wanted) <= SHORT:
        return near
    return [option for option in options if wanted in _letters(_comments(group, option))]


def _one_in_other(one: str, other: str) -> bool:
    return one in other or other in one


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower())


def _comments(group: str, option: str) -> str:
    path = conf_dir() / group / f"{option}.yaml"
    lines: Iterable[str] = path.read_text().splitlines() if path.is_file() else ()
    return "\n".join(line.partition("#")[2] for line in lines)
