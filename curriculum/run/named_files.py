"""`python run.py FILE`: files are data, and which data they are is told by what they hold."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from glob import has_magic
from os.path import exists  # False, too, for what no file can be called
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from curriculum.config.conf import GROUPS, conf_dir, options_in
from curriculum.config.overrides import as_typed, value_of
from curriculum.core.errors import UserError
from curriculum.core.names import RESULT
from curriculum.core.program import program
from curriculum.integrations.hydra import parsed

KEY = "data.path"
REMOTE = re.compile(r"\w+://")
# What the configuration says of where the files' fields stand: the key, and the field of `Columns`.
FIELDS = {
    "data.id_key": "id_key",
    "data.prompt_key": "prompt_key",
    "data.reward_fn_key": "reward_fn_key",
    "data.columns": "names",
    "data.reward_key": "reward_key",
    "reward.key": "reward_key",
}


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments; where they name files, with the options that read these in their place.

    What stands for them is said on standard error.

    Raises:
        UserError: there is no such file, or it holds neither rollouts nor problems.
    """
    overrides: list[str] = parsed(arguments).overrides
    paths = [each for each in overrides if _is_path(each)]
    if not paths:
        return list(arguments)
    keyed = [each for each in overrides if each not in paths and "=" in each]
    own = dict(each.lstrip("+").split("=", 1) for each in keyed)
    if KEY in own:
        raise UserError(f"{paths[0]} and {KEY}={own[KEY]}: name the data once")
    for path in paths:
        _require_there(path)
    option, said = _data_of(paths, own)
    chosen = [] if option is None else [f"data={option}"]
    chosen.append(as_typed(KEY, paths[0] if len(paths) == 1 else paths))
    place = min(arguments.index(path) for path in paths)
    rest = [each for each in arguments[place:] if each not in paths]
    found = [*arguments[:place], *chosen, *rest]
    print(f"{' '.join(paths)}: {said}. This is: {_command(found)}", file=sys.stderr)
    return found


def _is_path(argument: str) -> bool:
    """Whether an argument is no override."""
    if argument.startswith("~"):  # Hydra takes a key away so
        return argument.startswith("~/")
    return "=" not in argument or bool(REMOTE.match(argument)) or exists(argument)


def _data_of(paths: Sequence[str], own: Mapping[str, str]) -> tuple[str | None, str]:
    """The option that reads the files, None where what is chosen does; and what they hold."""
    from curriculum.formats.columns import Columns
    from curriculum.formats.files import find
    from curriculum.formats.kinds import Kind, kind_of

    if "data" in own:
        return None, f"read by data={own['data']}"
    if len(paths) == 1 and _holds_buckets(Path(paths[0])):
        return "buckets", "buckets of rollouts"
    said = {key: value_of(f"{key}={own[key]}") for key in FIELDS if key in own}
    fields: dict[str, Any] = {
        FIELDS[key]: each for key, each in said.items() if isinstance(each, str | dict)
    }
    kind = kind_of(find(list(paths)), Columns(**fields))  # a sweep says no one value
    if kind is Kind.PROBLEMS:
        return "verl", kind.value
    # That option reads rollouts in all the same forms.
    return (None if _of_preset(own.get("preset")) == "buckets" else "rollouts"), kind.value


def _holds_buckets(folder: Path) -> bool:
    """Whether a folder has `{bucket}.jsonl`, as a run leaves them.

    Raises:
        UserError: it is a run's, and has other files.
    """
    from curriculum.data import Buckets

    if any(folder.glob("*.jsonl")) and Buckets(str(folder)).names() is not None:
        return True
    if (folder / RESULT).exists():
        raise UserError(
            f"{folder} is the folder of a run, with files of several kinds: name the one that is "
            f"meant. Its page is {folder}/report.html"
        )
    return False


def _of_preset(preset: str | None) -> str | None:
    """The data that a preset chooses."""
    path = conf_dir() / "preset" / f"{preset}.yaml"
    if not path.is_file():
        return None
    choices: Any = OmegaConf.to_container(OmegaConf.load(path))
    return next(
        (each["override /data"] for each in choices["defaults"] if "override /data" in each), None
    )


def _command(arguments: Sequence[str]) -> str:
    return shlex.join([*program().split(), *arguments])


def _require_there(path: str) -> None:
    """Raise UserError, with the name that is nearest, where there is nothing of that name."""
    there = Path(path).expanduser()
    if REMOTE.match(path) or exists(there) or has_magic(path):
        return
    options = [f"{group}={path}" for group in GROUPS if path in options_in(group)]
    hub = f". A dataset of the Hugging Face hub: data=huggingface {KEY}={path}"
    near = _nearest(there)
    meant = [*([str(near)] if near else []), *options]
    raise UserError(
        f"{path} is no key=value, and there is no file or folder of that name"
        + (f"; did you mean {' or '.join(meant)}?" if meant else "")
        + (hub if re.fullmatch(r"[\w.-]+/[\w.-]+", path) and not there.suffix else "")
    )


def _nearest(path: Path) -> Path | None:
    """What there is with nearly the same name; None for nothing."""
    parent = path.parent if path.parent.is_dir() else _nearest(path.parent)
    if parent is None or not parent.is_dir():
        return None
    if (parent / path.name).exists():
        return parent / path.name
    names = {each.name.lower(): each for each in parent.iterdir()}
    near = get_close_matches(path.name.lower(), names, n=1)
    return names[near[0]] if near else None
