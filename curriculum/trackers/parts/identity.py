"""Which W&B run a folder is: the same one until it has ended well, however often it is begun."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from curriculum.core.atomic import whole

FILE = "unfinished.json"
SUPERSEDED = "superseded"
LENGTH = 4  # bytes of an id, as many as W&B's own have


@dataclass(frozen=True)
class Identity:
    """A run's id, kept in its folder's `wandb` until `forget`."""

    id: str
    folder: Path

    @classmethod
    def of(cls, folder: Path, config: Mapping[str, Any]) -> Self:
        """That of the run of this configuration that did not come to its end here, or a new one.

        What that run had recorded is put aside: a run that is begun again records all of it again,
        and W&B should be sent one of the two.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        text = json.dumps(config, sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()
        last = json.loads(path.read_text()) if path.exists() else {}
        if last.get("config") == digest:
            found = cls(last["id"], folder)
            found._put_aside()
            return found
        found = cls(secrets.token_hex(LENGTH), folder)
        with whole(path) as partial:
            partial.write_text(json.dumps({"id": found.id, "config": digest}))
        return found

    def forget(self) -> None:
        """The run has ended well: what comes next here is another."""
        (self.folder / FILE).unlink(missing_ok=True)

    def _put_aside(self) -> None:
        aside = self.folder / SUPERSEDED
        for recorded in self.folder.glob(f"offline-run-*-{self.id}"):
            aside.mkdir(exist_ok=True)
            shutil.move(recorded, aside / recorded.name)
