"""How this program is called where it is, and how its extras are installed: for messages."""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = "curriculum"  # of an installed package
CHECKOUT = Path(__file__).parents[2]  # of an installed package no checkout, but site-packages


def program() -> str:
    """`python run.py` in a checkout; `curriculum` where there is none, or where that was called."""
    called = Path(sys.argv[0]).stem == SCRIPT
    return SCRIPT if called or not _is_checkout() else "python run.py"


def install(extra: str) -> str:
    """The command that installs an extra."""
    what = f"-e '.[{extra}]'" if _is_checkout() else f"'{SCRIPT}[{extra}]'"
    return f"pip install {what}"


def _is_checkout() -> bool:
    return (CHECKOUT / "run.py").exists()
