"""Errors for the person at the keyboard: what is wrong, where, and what to do."""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import requires
from importlib.util import find_spec

from curriculum.core.program import install, program
from curriculum.core.secrets import redacted
from curriculum.core.text import visible

TRACEBACK = "HYDRA_FULL_ERROR"  # Hydra raises its errors rather than prints them
FULL = os.environ.get(TRACEBACK) == "1"  # as the user has it: show tracebacks


class UserError(Exception):
    """A mistake in the input or the configuration; its message is shown without a traceback."""


class Terminated(SystemExit):
    """A signal has ended the run: SIGTERM of a scheduler, SIGHUP of a terminal that is gone."""

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        return f"by {self.signal.name}"


def require_extra(choice: str, extra: str, *modules: str) -> None:
    """Raise UserError where a choice of the configuration needs modules that are not installed."""
    if any(find_spec(module) is None for module in modules):
        raise UserError(f"{choice} needs the extra: {install(extra)}")


def require_shard(group: str, shard: int, shards: int) -> None:
    """Raise UserError where there is no such part of a group's work."""
    if shard >= shards:
        raise UserError(f"{group}.shard={shard} of {group}.shards={shards}: shards count from 0")


def not_importable(what: str, error: ImportError) -> UserError:
    """What to install where something could not be imported."""
    module = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or not module:
        return UserError(f"{what} can't import what it needs: {error}")
    extra = _extra_with(module)
    command = install(extra) if extra else f"pip install {module}"
    doubt = "" if extra else ", if that is the package's name too"
    return UserError(f"{what} needs the module {error.name}, not installed here: {command}{doubt}")


def _extra_with(module: str) -> str | None:
    """The first of this package's extras with a distribution of the module's name."""
    for requirement in requires("curriculum") or []:
        extra = re.search(r"extra *== *['\"]([\w-]+)", requirement)
        name = re.match(r"[\w.-]+", requirement)
        if extra and name and re.sub(r"[-_.]+", "_", name[0]).lower() == module.lower():
            return extra[1]
    return None


@contextmanager
def blamed(complaint: str) -> Iterator[None]:
    """Whatever a stranger's code raises, or exits with, is one line: the complaint, and why."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{complaint}: {cause}") from error


@contextmanager
def placed() -> Iterator[None]:
    """What the disk refuses (no permission, a file where a folder should be) is one line: where."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise UserError(f"{error.filename}: {error.strerror}") from error


@contextmanager
def explained() -> Iterator[None]:
    """Print what went wrong with the command line or the input, and exit 1.

    A run that was interrupted or terminated is said to be, and exits as shells have it.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    os.environ[TRACEBACK] = "1"
    try:
        with placed():
            yield
    except (UserError, HydraException, OmegaConfBaseException, YAMLError) as error:
        say(traceback.format_exc() if FULL else f"error: {explain(error)}")
        sys.exit(1)
    except Exception as error:
        say(traceback.format_exc() if FULL else f"error: {_unforeseen(error)}")
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except Terminated as error:
        print(f"terminated {error}", file=sys.stderr)
        sys.exit(error.code)


def say(message: str) -> None:
    """On standard error, for the person at the keyboard."""
    print(visible(str(redacted(message.rstrip()))), file=sys.stderr)


def _unforeseen(error: Exception) -> str:
    """What nobody has a message for, with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" ({frame.filename}:{frame.lineno})" for frame in frames)
    return (
        f"{type(error).__name__}: {error}{where}\n"
        f"This may be a fault of the program: {TRACEBACK}=1 before the command shows how it came "
        "there; please report it"
    )


def explain(error: BaseException) -> str:
    """The message, with what there is to choose from where a name was unknown."""
    if isinstance(error, UserError):
        return str(error)
    cause = error.__cause__
    parent = getattr(cause, "parent_node", None)
    if type(error).__name__ == "OverrideParseException" and "Lexer" in str(error):
        return f"{error}\na value with ~ or other signs needs quotes in quotes: \"key='~/a b'\""
    if type(error).__name__ == "OverrideParseException" and '{"' in str(error):
        return f"{error}\na name within {{}} has no quotes, and a : in it is written \\:"
    if parent is None or not hasattr(parent, "keys"):
        return str(error)
    keys = ", ".join(sorted(str(key) for key in parent if key != "_target_"))
    where = getattr(cause, "full_key", "").rpartition(".")[0] or "the configuration"
    if getattr(cause, "full_key", "") == "data.path":
        keys += "\nto read your own rollouts: data=rollouts data.path=..."
    if where in ("sampler", "trainer") and parent.get("_target_") is None:
        keys += f"\nno {where} is chosen: {where}=NAME, as `{program()} --help` lists them"
    first_lines = [str(each).splitlines()[0] for each in (error, cause)]
    near = did_you_mean(str(getattr(cause, "key", "")), map(str, parent))
    return "\n".join(
        [f"{first_lines[0].rstrip('.')}{near}", *first_lines[1:], f"keys of {where}: {keys}"]
    )


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question after a name that is nearly one of the others."""
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""
