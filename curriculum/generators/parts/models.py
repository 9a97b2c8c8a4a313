"""Model folders: what they are made of, and a copy in shared memory."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from curriculum.store.entries import Store

SHARED_MEMORY = Path("/dev/shm")


def digest_of_model(model: str) -> str:
    """Changes when a local model's files do; a name on a hub stands for itself."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    files = sorted(path for path in folder.iterdir() if path.is_file())
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


def in_shared_memory(model: str) -> str:
    """A local model copied to shared memory, once; a name on a hub as it is."""
    folder = Path(model)
    if not folder.is_dir():
        return model

    def copy(target: Path) -> dict[str, int]:
        shutil.copytree(folder, target, dirs_exist_ok=True)
        return {}

    store = Store(str(SHARED_MEMORY))
    return str(store.stage("curriculum", {"model": digest_of_model(model)}, copy).folder)


def has_chat_template(model: str) -> bool:
    """Whether a local model's folder has a chat template; a name on a hub is taken to have one."""
    folder = Path(model)
    if not folder.is_dir():
        return True
    config = folder / "tokenizer_config.json"
    in_config = config.is_file() and "chat_template" in json.loads(config.read_text())
    return in_config or any(folder.glob("chat_template*"))
