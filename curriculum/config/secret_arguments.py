"""Secrets on a command line: refused before anything is written, with where to put them instead."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from curriculum.core.errors import UserError
from curriculum.core.secrets import VARIABLE, found_in

KEY_ENV = "generator.key_env"
NAME = re.compile(r"[A-Za-z_]\w*")
# Where each may come from, by the beginning of its key.
INSTEAD = {
    "generator.": f"put it into an environment variable, and the variable's name into {KEY_ENV}",
    "reward.": "have the reward's own code read it from an environment variable (os.environ)",
    "data.": "put it where fsspec looks, into ~/.config/fsspec/ or the variables of its protocol",
    "tracker.": "W&B takes it from WANDB_API_KEY, or from `wandb login`",
}
OTHERWISE = "put it into an environment variable that the code which needs it reads"


def refuse(arguments: Sequence[str]) -> None:
    """Raise UserError where an argument holds a secret, without showing it."""
    for argument in arguments:
        key = argument.lstrip("+~").partition("=")[0] if "=" in argument else ""
        if key == KEY_ENV:
            _require_name(argument.partition("=")[2].strip("'\""))
        elif (found := found_in(argument)) is not None:
            named = key if NAME.match(key) and found_in(key) is None and "//" not in key else ""
            raise UserError(
                f"{named or 'an argument'} holds {found}, and a command line is shown to others "
                f"and kept: {_instead(named)}"
            )


def _instead(key: str) -> str:
    return next((what for group, what in INSTEAD.items() if key.startswith(group)), OTHERWISE)


def _require_name(value: str) -> None:
    """Raise UserError for what is no name of a variable: it may be the key itself."""
    known = value in os.environ or VARIABLE.fullmatch(value) is not None
    if value and (NAME.fullmatch(value) is None or not known or found_in(value)):
        raise UserError(
            f"{KEY_ENV} takes the name of an environment variable that holds the key, not the key "
            f"itself: export OPENAI_API_KEY=..., {KEY_ENV}=OPENAI_API_KEY"
        )
