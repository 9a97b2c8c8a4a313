"""How a run was asked for, as Hydra notes it in `.hydra` before the run begins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from curriculum.core.errors import UserError
from curriculum.core.names import RESULT
from curriculum.sweep import jobs

FOLDER = ".hydra"
KEYS = ("store_dir", "trainer.steps", "trainer.group_size", "resume")


class Setup(NamedTuple):
    """What was chosen, and where things are."""

    began: float  # seconds since the epoch, by the clock of the disk
    overrides: tuple[str, ...]
    choices: Mapping[str, str]  # option of each group
    store: Path | None
    steps: int | None  # of the training, where there is one
    group_size: int | None  # rollouts of a prompt in a batch
    resuming: bool  # its sweep was taken up again, and leaves alone what is complete


def read_setup(folder: Path) -> Setup | None:
    """That of a run's last start; None before it is all written."""
    began = modified(folder / FOLDER / "hydra.yaml")
    return None if began is None else _read(folder / FOLDER, began, _sizes(folder / FOLDER))


def modified(path: Path) -> float | None:
    """When a file was last written, in seconds since the epoch; None where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def is_sweep(folder: Path) -> bool:
    """Whether a folder is a sweep's rather than a run's; the later, where it was both.

    Raises:
        UserError: it is neither.
    """
    sweep, run = modified(folder / jobs.PLAN), modified(folder / FOLDER / "hydra.yaml")
    if sweep is not None or run is not None:
        return sweep is not None and (run is None or run < sweep)
    if (folder / RESULT).exists():
        return False
    if jobs.folders(folder, []):
        return True
    what = "has no run in it" if folder.is_dir() else "is no folder"
    raise UserError(
        f"{folder} {what}: give the output_dir of a run that has begun, or a sweep's folder"
    )


def _sizes(folder: Path) -> tuple[int, ...]:
    return tuple(path.stat().st_size for path in sorted(folder.glob("*.yaml")))


@lru_cache(maxsize=1024)
def _read(folder: Path, began: float, sizes: tuple[int, ...]) -> Setup | None:
    """What the files say; read again only where one of them has changed."""
    try:
        hydra, config = (OmegaConf.load(folder / f"{name}.yaml") for name in ("hydra", "config"))
        overrides = OmegaConf.load(folder / "overrides.yaml")
        if not isinstance(overrides, ListConfig) or not isinstance(config, DictConfig):
            return None
        choices = OmegaConf.select(hydra, "hydra.runtime.choices")
        store, steps, group_size, resume = (OmegaConf.select(config, key) for key in KEYS)
        cwd = OmegaConf.select(hydra, "hydra.runtime.cwd")
    except (OSError, YAMLError, OmegaConfBaseException):
        return None
    return Setup(
        began,
        tuple(map(str, overrides)),
        {str(name): str(option) for name, option in (choices or {}).items()},
        None if store is None or cwd is None else Path(cwd, store),
        steps if isinstance(steps, int) else None,
        group_size if isinstance(group_size, int) else None,
        resume is not None,
    )
