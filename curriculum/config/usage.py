"""`python run.py --help`: every option, and the keys of those that are chosen.

Hydra's own help walks through all of its sources for each group, and has no word on any of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from curriculum.config.conf import GROUPS, conf_dir, headline
from curriculum.config.overrides import typed_as
from curriculum.config.plugins import plugins, provider
from curriculum.core.errors import UserError
from curriculum.core.program import program
from curriculum.core.secrets import redacted
from curriculum.core.text import visible
from curriculum.integrations.hydra import parsed, searching

EXAMPLES = {  # what stands behind the command
    "": "the demo: how hard its problems are, buckets, a page",
    "FILE": "rollouts or problems of your own; it says which, and what the command is in full",
    "-m bucketer=percentile,pass_rate": "one run each, and a comparison of them",
    "sampler=bandit --help": "the keys of another choice",
}
KEY = re.compile(r"( *)(?:- )?([\w-]+):( +[^\s#].*?)?(?:\s+# (.*))?")
TELLING = ("help", "hydra_help", "cfg", "info")
WIDTH = 48  # of what stands on the left; longer ones push what is on the right
REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def only_tells(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for something to read, and for no run."""
    command_line = parsed(arguments)
    return any(getattr(command_line, flag) for flag in TELLING)


def shown(arguments: Sequence[str]) -> bool:
    """Print the help where a command line asks for it, and say whether it did."""
    command_line = parsed(arguments)
    if command_line.help:
        name, folder = command_line.config_name or "config", command_line.config_dir
        print(visible(str(redacted(text(command_line.overrides, name, folder)))))
    return bool(command_line.help)


def text(
    overrides: Sequence[str], config_name: str = "config", config_dir: str | None = None
) -> str:
    """The help for what some overrides choose.

    Args:
        config_name: the primary configuration.
        config_dir: a further folder of configurations, None for that of this package alone.

    Raises:
        UserError: there is no such folder.
        HydraException: an option, or a key, that there is not.
    """
    if config_dir and not Path(config_dir).is_dir():
        raise UserError(f"--config-dir {config_dir}: there is no such folder")
    folders = [conf_dir(), *([Path(config_dir).absolute()] if config_dir else [])]
    with searching(*map(str, folders)):
        config = compose(config_name, list(overrides), return_hydra_config=True)
    choices = cast(dict[str, str], config.hydra.runtime.choices)
    examples = {f"{program()} {said}".rstrip(): why for said, why in EXAMPLES.items()}
    primary = (conf_dir() / "config.yaml").read_text()
    notes = comments(primary)
    sections = [
        headline(primary),
        "\n".join(_columns(examples)),
        "Options, group=option; * is chosen:",
        *_groups(folders, choices, notes),
        "Keys of what is chosen, key=value:",
        "\n".join(_columns(_keys(config, folders, choices, notes))),
        f"Hydra's flags, like --cfg job, --info and --multirun: {program()} --hydra-help",
    ]
    return "\n\n".join(sections)


def comments(source: str) -> dict[str, str]:
    """What a YAML file says behind each key that has a value, by the key's dotted name."""
    found = {}
    above: list[tuple[int, str]] = []  # the keys that a line lies in, with their indentation
    for line in source.splitlines():
        if match := KEY.fullmatch(line):
            indentation = len(match[1])
            above = [(depth, key) for depth, key in above if depth < indentation]
            above.append((indentation, match[2]))
            found[".".join(key for _, key in above)] = (match[3] and match[4]) or ""
    return found


def _groups(
    folders: Sequence[Path], choices: Mapping[str, str], notes: Mapping[str, str]
) -> Iterator[str]:
    """A paragraph for each group: what it is for, and what there is."""
    in_order = [key.removeprefix("defaults.") for key in notes if key.startswith("defaults.")]
    found = {
        str(path.parent.relative_to(folder))
        for folder in folders
        for path in folder.rglob("*/*.yaml")
    }
    for group in dict.fromkeys([*in_order, *GROUPS, *sorted(found)]):
        options = {
            path.stem: headline(path.read_text())
            for folder in folders
            for path in sorted((folder / group).glob("*.yaml"))
        }
        for name, point in plugins().get(group, {}).items():
            options[name] = f"of the plugin {provider(point)}"
        marked = {
            f"{'*' if name == choices.get(group) else ' '} {name}": said
            for name, said in options.items()
        }
        if marked:
            title = f"{group}: {notes.get(f'defaults.{group}', '')}".rstrip(": ")
            yield "\n".join([title, *_columns(marked)])


def _keys(
    config: DictConfig,
    folders: Sequence[Path],
    choices: Mapping[str, str],
    notes: Mapping[str, str],
) -> dict[str, str]:
    """`key=value` of all that the configuration has but Hydra's, and what the files say of it."""
    known = dict(notes)
    for group, option in choices.items():
        for folder in folders:
            if (path := folder / group / f"{option}.yaml").is_file():
                block = group.replace("/", ".")
                known |= {f"{block}.{k}": said for k, said in comments(path.read_text()).items()}
    values = cast(dict[str, Any], OmegaConf.to_container(config))
    values["hydra"] = values.pop("hydra")  # last
    return {
        f"{key}={typed_as(_looked_up(config, value))}": known.get(key, "")
        for key, value in _leaves(values, known)
        if known.get(key) or not key.startswith("hydra.")  # which has many more
    }


def _leaves(
    values: Mapping[str, Any], known: Mapping[str, str], above: str = ""
) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = f"{above}{name}"
        # A mapping is one value where its key has a comment, else a block of keys.
        if isinstance(value, Mapping) and value and not known.get(key):
            yield from _leaves(value, known, f"{key}.")
        elif name != "_target_":
            yield key, value


def _looked_up(config: DictConfig, value: Any) -> Any:
    """The value itself, or that of the other key that it names."""
    reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    value = OmegaConf.select(config, reference[1]) if reference else value
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _columns(rows: Mapping[str, str]) -> Iterator[str]:
    """Lines of two columns, the first of them WIDTH wide at most."""
    width = max((len(left) for left in rows if len(left) <= WIDTH), default=WIDTH)
    for left, right in rows.items():
        yield f"  {left:<{width}}  {right}".rstrip()
