"""What verl 0.9 and later load where they start (entry point `verl.plugins`): a trainer mode.

Every process that imports verl loads this, rollout and reward workers too, so the trainer (four
seconds of imports) waits until verl's own is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

log = logging.getLogger(__name__)

OURS = "pkg://curriculum.integrations.verl"
TRAINERS = "verl.trainer.ppo.v1"  # verl's own, and the registry of their modes
TRAINER = "curriculum.integrations.verl.trainer"


class AfterTrainers(MetaPathFinder):
    """Imports the trainer when verl has imported its own."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Of verl's trainers, once, with more to do when they are loaded; see `MetaPathFinder`."""
        if name != TRAINERS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Followed(spec.loader)
        return spec


class _Followed(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        try:
            importlib.import_module(TRAINER)
        except (ImportError, AttributeError) as error:  # verl's other trainers must go on
            log.warning("trainer.v1.trainer_mode=curriculum_sync can't be had here: %r", error)


def refuse_ignored(arguments: Sequence[str]) -> None:
    """End the start of a training whose sampler this verl would leave out without a word."""
    if any("data.sampler.class_path" in each and OURS in each for each in arguments):
        sys.exit(
            "data.sampler.* is ignored by this verl: write "
            "trainer.v1.trainer_mode=curriculum_sync +curriculum.sampler=frontier, and "
            "+curriculum.KEY=VALUE for its keys"
        )


refuse_ignored(sys.argv)
sys.meta_path.insert(0, AfterTrainers())
