"""`data.verl_config=FILE`: what an existing verl configuration says, as overrides of ours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from curriculum.config.conf import conf_dir
from curriculum.config.overrides import argument, value_of
from curriculum.config.verl_reward_keys import FUNCTION_BLOCKS, MANAGER_KEYS, reward_keys
from curriculum.core.errors import UserError
from curriculum.core.secrets import redacted
from curriculum.integrations.hydra import set_aside

log = logging.getLogger(__name__)

KEY = "data.verl_config"
# verl's key: ours. `data.path`, before verl's own, `bucketing_strategy` and `output_dir` are of
# difficulty-filtering configs made from verl's.
MAPPED = {
    "data.path": "data.path",
    "data.train_files": "data.path",
    "data.prompt_key": "data.prompt_key",
    "data.reward_fn_key": "data.reward_fn_key",
    "bucketing_strategy": "bucketer",
    "output_dir": "output_dir",
}
# What only a run that generates takes.
GENERATION = {
    "model.path": "model.path",
    "actor_rollout_ref.model.path": "model.path",
    "num_samples": "num_samples",
    "actor_rollout_ref.rollout.n": "num_samples",
    "generation.temperature": "generator.temperature",
    "actor_rollout_ref.rollout.temperature": "generator.temperature",
    "generation.top_p": "generator.top_p",
    "actor_rollout_ref.rollout.top_p": "generator.top_p",
    "generation.do_sample": "generator.do_sample",
    "actor_rollout_ref.rollout.do_sample": "generator.do_sample",
    "generation.max_new_tokens": "generator.max_new_tokens",
    "data.max_response_length": "generator.max_new_tokens",
    "data.max_prompt_length": "generator.max_prompt_length",
    "data.truncation": "generator.truncation",
    "data.trust_remote_code": "generator.trust_remote_code",
    "actor_rollout_ref.model.use_shm": "generator.use_shm",
}
# Of single rollouts nothing is learned: a group of one is PPO's, not a choice of samples.
ONE_SAMPLE = ("num_samples", 1)
REWARDS = ("function", "verl")  # the options of ours that a configuration may describe
# Keys of data that every option has.
SHARED = ("data.prompt_key", "data.reward_fn_key")
REPLAY = "replay"  # the generator that generates nothing


@dataclass(frozen=True)
class VerlConfig:
    """What a configuration of verl's sets: what we take, by our keys, and what we don't."""

    taken: dict[str, Any]  # our key: value
    ignored: list[str]  # verl's keys
    options: dict[str, str]  # of ours, by group, that the keys are of
    note: str | None  # what can't be followed


def read(path: str, generator: str = REPLAY, reward: str | None = None) -> VerlConfig:
    """Read a configuration, with the parts that its defaults list names where they lie beside it.

    Args:
        generator: the option; what it has no key for is not taken.
        reward: the option on the command line.

    Raises:
        UserError: where the file is missing or no YAML mapping, a value can't be resolved, or not
            one is of use here.
    """
    config = _load(Path(path))
    taken: dict[str, Any] = {}
    used = set()
    rewards = reward_keys(
        lambda key: _select(config, key, path), reward if reward in REWARDS else None
    )
    mapped = {**MAPPED, **rewards.keys, **_generation(generator)}
    for theirs, ours in mapped.items():
        value = _select(config, theirs, path)
        if value is not None and ours not in taken and (ours, value) != ONE_SAMPLE:
            taken[ours] = value
            used.add(theirs)
    if not taken:
        functions = (f"{block}.path" for block in FUNCTION_BLOCKS)
        known = ", ".join([*MAPPED, *functions, *MANAGER_KEYS])
        raise UserError(f"{KEY}={path} sets none of {known}")
    ignored = [
        key
        for key in _leaves(OmegaConf.to_container(config, resolve=False))
        if not any(key == each or key.startswith(f"{each}.") for each in used)
    ]
    options = {"data": "verl"} if "data.path" in taken else {}
    options |= {"reward": rewards.option} if rewards.option else {}
    return VerlConfig(taken, ignored, options, rewards.note)


def expanded(arguments: Sequence[str]) -> list[str]:
    """A command line with what its `data.verl_config=FILE` stands for written out behind it.

    What the command line sets itself counts: keys, and the options that read them (`data=`,
    `reward=`; a preset chooses data too).
    """
    own = dict(each.lstrip("+").split("=", 1) for each in arguments if "=" in each)
    if KEY not in own:
        return list(arguments)
    path = value_of(f"{KEY}={own[KEY]}")
    if path is None:
        return list(arguments)
    if not isinstance(path, str):
        raise UserError(f"{KEY}={own[KEY]} must be one file: run once for each")
    config = read(path, own.get("generator", REPLAY), own.get("reward"))
    taken = config.taken
    added = []
    for group, option in config.options.items():
        chosen = own.get(group, "the preset's" if group == "data" and "preset" in own else None)
        if chosen is None:
            added.append(f"{group}={option}")
        elif chosen not in (option, "the preset's"):
            taken = {k: v for k, v in taken.items() if k in SHARED or not k.startswith(f"{group}.")}
    added += [argument(key, value) for key, value in taken.items() if key not in own]
    place = next(i for i, each in enumerate(arguments) if each.lstrip("+").startswith(f"{KEY}="))
    return [*arguments[: place + 1], *added, *arguments[place + 1 :]]


def report(path: str, overrides: Sequence[str], generator: str) -> dict[str, Any]:
    """Log what a run took from a configuration and what it ignored, and return both.

    Args:
        overrides: of the run; what they set otherwise is not taken.
    """
    reward = next((each for each in overrides if each.startswith("reward=")), "").partition("=")[2]
    config = read(path, generator, reward)
    taken = {k: v for k, v in config.taken.items() if argument(k, v) in overrides}
    shown = ", ".join(f"{key}={value}" for key, value in taken.items())
    blocks = Counter(key.partition(".")[0] for key in config.ignored)
    ignored = ", ".join(f"{name} {count}" for name, count in blocks.items())
    log.info("%s: taken: %s", path, shown or "nothing")
    log.info("%s: ignored, see result.json: %s", path, ignored or "nothing")
    if config.note:
        log.warning("%s: %s", path, config.note)
    return {"file": path, "taken": taken, "ignored": config.ignored}


def _generation(generator: str) -> dict[str, str]:
    """The keys of generation that an option takes: all where it is several, or a plugin's."""
    if generator == REPLAY:
        return {}
    file = conf_dir() / "generator" / f"{generator}.yaml"
    known = OmegaConf.load(file) if file.is_file() else None
    return {
        theirs: ours
        for theirs, ours in GENERATION.items()
        if known is None or not ours.startswith("generator.") or ours.split(".")[1] in known
    }


def _load(path: Path) -> DictConfig:
    if not path.is_file():
        raise UserError(f"{KEY}={path}: there is no such file")
    try:
        config = OmegaConf.load(path)
    except Exception as error:  # whatever a YAML parser finds
        raise UserError(f"{KEY}={path} can't be read as YAML: {error}") from error
    if not isinstance(config, DictConfig):
        raise UserError(f"{KEY}={path} holds no mapping of keys to values")
    return _composed(path, config) if "defaults" in config else config


def _composed(path: Path, config: DictConfig) -> DictConfig:
    """The configuration with its defaults list, whose parts lie beside it or are verl's own.

    Without it, where there are none.
    """
    from hydra.errors import HydraException

    try:
        return _compose(path)
    except HydraException as error:
        lacking = str(error).splitlines()[0]
    verl = find_spec("verl")
    if verl is not None and verl.submodule_search_locations:
        theirs = Path(verl.submodule_search_locations[0], "trainer", "config")
        try:
            composed = _compose(path, [f"hydra.searchpath=[file://{theirs}]"])
        except HydraException as error:
            lacking = str(error).splitlines()[0]
        else:
            log.info("%s: what its defaults list names is the installed verl's", path)
            return composed
    log.warning("%s: its defaults list is not followed: %s", path, lacking)
    config.pop("defaults")
    return config


def _compose(path: Path, overrides: Sequence[str] = ()) -> DictConfig:
    from hydra import compose, initialize_config_dir

    folder = str(path.parent.resolve())
    with set_aside(), initialize_config_dir(folder, version_base="1.3"):
        return compose(path.stem, list(overrides))


def _select(config: DictConfig, key: str, path: str) -> Any:
    try:
        value = OmegaConf.select(config, key)
    except OmegaConfBaseException as error:
        raise UserError(f"{KEY}={path}: {key} can't be resolved: {error.msg}") from error
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if redacted(plain) != plain:
        raise UserError(f"{KEY}={path}: {key} holds a secret, and what is taken of it is kept")
    return plain


def _leaves(value: Any, above: str = "") -> Iterator[str]:
    for key, each in cast(Mapping[str, Any], value).items():
        if isinstance(each, Mapping) and each:
            yield from _leaves(each, f"{above}{key}.")
        else:
            yield f"{above}{key}"
