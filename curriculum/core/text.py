"""Text from outside, for who reads it: what would steer a terminal is shown and not obeyed."""

from __future__ import annotations

import logging
import re

from curriculum.core.secrets import redacted

# C0 and C1 but for tab and new line, the two separators of lines, and what turns text around.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""The text with control characters as `\x1b`, and those of direction as `U+202E`."""
    return _STEERING.sub(lambda found: _named(ord(found[0])), text)


def in_a_line(text: str) -> str:
    r"""The same of a name, as of a file: a new line is `\x0a` there, and a tab `\x09`."""
    return visible(text).replace("\n", r"\x0a").replace("\t", r"\x09")


def _named(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"U+{code:04X}"


class Formatter(logging.Formatter):
    """Of all logs: no secret, and nothing that steers a terminal, in tracebacks neither."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return visible(str(redacted(super().format(record))))
