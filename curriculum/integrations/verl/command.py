"""What is written on verl's command line for a curriculum, for each of its versions."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError
from curriculum.integrations.verl.options import WHERE
from curriculum.samplers import Guards, Sampler
from curriculum.samplers.names import BUILT_IN

PACKAGE = "pkg://curriculum.integrations.verl"


def arguments(
    version: str, run: Path, option: str, sampler: Sampler, guards: Guards, more: Mapping[str, Any]
) -> list[str]:
    """The curriculum of a run's folder, in verl's words.

    Args:
        version: verl's.
        option: the sampler's, in the configuration.
        more: further keys of the block.

    Raises:
        UserError: for a plugin's sampler in a verl up to 0.7.1, which takes this package's alone.
    """
    release = tuple(int(each) for each in re.findall(r"\d+", version)[:2])
    keys = {"run": str(run.resolve()), **_changed(sampler), **_changed(guards), **more}
    if release < (0, 8):
        if option not in BUILT_IN:
            raise UserError(f"verl {version} takes no plugin's sampler ({option}); verl 0.9 does")
        name = f"{type(sampler).__name__}Sampler"
        how = [f"data.sampler.class_path={PACKAGE}", f"data.sampler.class_name={name}"]
        return [*how, "data.dataloader_num_workers=0", *_added("data.sampler", keys)]
    keys = {"sampler": option, **keys}
    if release < (0, 9):
        how = [f"data.custom_cls.path={PACKAGE}", "data.custom_cls.name=CurriculumDataset"]
        return [*how, "data.dataloader_num_workers=0", *_added(WHERE, keys)]
    return ["trainer.v1.trainer_mode=curriculum_sync", *_added(WHERE, keys)]


def _changed(settings: Any) -> dict[str, Any]:
    """Fields of a dataclass that are not as they are by default."""
    default = type(settings)()
    values = dataclasses.asdict(settings)
    return {name: value for name, value in values.items() if value != getattr(default, name)}


def _added(block: str, keys: Mapping[str, Any]) -> list[str]:
    return [f"+{block}.{name}={written(value)}" for name, value in keys.items()]


def written(value: Any) -> str:
    """A value in Hydra's grammar, which takes JSON but for the quotes of an object's keys."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
