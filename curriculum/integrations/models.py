"""Folders of Hugging Face models: what they are made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def digest_of_model(model: str) -> str:
    """Changes when a local model's files do; a name on a hub stands for itself."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    files = sorted(path for path in folder.iterdir() if path.is_file())
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


def has_chat_template(model: str) -> bool:
    """Whether a local model's folder has a chat template; a name on a hub is taken to have one."""
    folder = Path(model)
    if not folder.is_dir():
        return True
    config = folder / "tokenizer_config.json"
    in_config = config.is_file() and "chat_template" in json.loads(config.read_text())
    return in_config or any(folder.glob("chat_template*"))
