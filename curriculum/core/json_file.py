"""JSON that a run or a user has left in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curriculum.core.errors import UserError


def read_json(path: Path, key: str = "") -> Any:
    """What a file says.

    Args:
        key: of the configuration, with its `=`, where one named the file.

    Raises:
        UserError: where it is not JSON, or nested deeper than any of ours.
        OSError: where it can't be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{key}{path} is not JSON: {error}") from error
