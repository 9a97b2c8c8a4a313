"""Models copied to shared memory, once a machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from curriculum.integrations.models import digest_of_model
from curriculum.store.entries import Store

SHARED_MEMORY = Path("/dev/shm")


def in_shared_memory(model: str) -> str:
    """A local model copied to shared memory, once; a name on a hub as it is."""
    folder = Path(model)
    if not folder.is_dir():
        return model

    def copy(target: Path) -> dict[str, int]:
        shutil.copytree(folder, target, dirs_exist_ok=True)
        return {}

    store = Store(str(SHARED_MEMORY))
    return str(store.entry("curriculum", {"model": digest_of_model(model)}, copy).folder)
