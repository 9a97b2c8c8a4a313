"""Errors for the person at the keyboard: what is wrong, where, and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec

TRACEBACK = "HYDRA_FULL_ERROR"  # set by the user: show tracebacks


class UserError(Exception):
    """A mistake in the input or the configuration; its message is shown without a traceback."""


def require_extra(choice: str, extra: str, *modules: str) -> None:
    """Raise UserError where a choice of the configuration needs modules that are not installed."""
    if any(find_spec(module) is None for module in modules):
        raise UserError(f"{choice} needs the extra: pip install -e '.[{extra}]'")


@contextmanager
def explained() -> Iterator[None]:
    """Print what went wrong with the command line or the input, and exit 1."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if os.environ.get(TRACEBACK):
        yield
        return
    os.environ[TRACEBACK] = "1"  # have Hydra raise its errors rather than print them
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def explain(error: BaseException) -> str:
    """The message, with what there is to choose from where a name was unknown."""
    if isinstance(error, UserError):
        return str(error)
    missing, options = getattr(error, "missing_cfg_file", None), getattr(error, "options", None)
    if missing and options:
        group, _, name = missing.rpartition("/")
        told = f"Could not find '{missing}'{_meant(name, options)}"
        return f"{told}\noptions of {group}: {', '.join(options)}"
    cause = error.__cause__
    parent = getattr(cause, "parent_node", None)
    if type(error).__name__ == "OverrideParseException" and "Lexer" in str(error):
        return f"{error}\na value with ~ or other signs needs quotes in quotes: \"key='~/a b'\""
    if parent is None or not hasattr(parent, "keys"):
        return str(error)
    keys = ", ".join(sorted(str(key) for key in parent if key != "_target_"))
    where = getattr(cause, "full_key", "").rpartition(".")[0] or "the configuration"
    if getattr(cause, "full_key", "") == "data.path":
        keys += "\nto read your own rollouts: data=rollouts data.path=..."
    first_lines = [str(each).splitlines()[0] for each in (error, cause)]
    meant = _meant(str(getattr(cause, "key", "")), map(str, parent))
    return "\n".join(
        [f"{first_lines[0].rstrip('.')}{meant}", *first_lines[1:], f"keys of {where}: {keys}"]
    )


def _meant(name: str, names: Iterable[str]) -> str:
    """A question after a name that is nearly one of the others."""
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""
