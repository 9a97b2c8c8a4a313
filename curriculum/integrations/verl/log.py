"""What a curriculum did in verl's trainer, as lines of JSON beside its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curriculum.core.atomic import whole
from curriculum.core.names import EVENTS
from curriculum.core.prompts import Event

FOLDER = "curriculum"  # in the trainer's own folder
METRICS = "metrics.jsonl"


class Log:
    """`events.jsonl` and `metrics.jsonl`; nothing where the trainer has no folder."""

    def __init__(self, trainer_folder: str | None) -> None:
        self.folder = Path(trainer_folder, FOLDER) if trainer_folder else None

    def begin(self, events: list[Event]) -> None:
        """Forget what another training in the folder has left, and say what has happened."""
        self.cut(-1)
        self.events(0, events)

    def events(self, batch: int, events: list[Event]) -> None:
        """What the sampler did, printed too: Ray shows what is printed."""
        for event in events:
            print(event.text, flush=True)
            self._write(EVENTS, batch, {"event": event.kind, "text": event.text, **event.values})

    def metrics(self, batch: int, values: Mapping[str, float]) -> None:
        """The sampler's numbers after a batch."""
        self._write(METRICS, batch, values)

    def cut(self, batch: int) -> None:
        """Forget what came after a batch: a checkpoint of then is gone on from."""
        for path in (self.folder / name for name in (METRICS, EVENTS) if self.folder):
            if path.exists():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                written = [line for line in lines if line.endswith("\n")]  # a kill may cut the last
                kept = [line for line in written if json.loads(line)["batch"] <= batch]
                with whole(path) as partial:
                    partial.write_text("".join(kept), encoding="utf-8")

    def _write(self, name: str, batch: int, values: Mapping[str, Any]) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"batch": batch, **values}) + "\n")
