"""A state as one file: its arrays, and the rest as JSON among them (npz)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from curriculum.core.atomic import whole
from curriculum.core.errors import UserError

ARRAY = "__array__"  # stands in the JSON for an array, with its number
REST = "json"


def write_state(state: Mapping[str, Any], path: Path) -> None:
    """Write JSON values and arrays exactly; a reader sees a whole file or the last one."""
    arrays: dict[str, Any] = {}

    def as_array(value: Any) -> dict[str, str]:
        if not isinstance(value, np.ndarray):
            raise TypeError(f"a state holds JSON values and arrays, no {type(value)}")
        name = f"array_{len(arrays)}"
        arrays[name] = value
        return {ARRAY: name}

    arrays[REST] = np.array(json.dumps(state, default=as_array))
    with whole(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_state(path: Path) -> dict[str, Any]:
    """What was written. Raises UserError where there is none."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text = str(arrays.pop(REST))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no saved state of a curriculum: {error}") from error

    def with_array(value: dict[str, Any]) -> Any:
        return arrays[value[ARRAY]] if ARRAY in value else value

    state: dict[str, Any] = json.loads(text, object_hook=with_array)
    return state
