"""Names of a user's that become names of files."""

from __future__ import annotations

from curriculum.core.errors import UserError

LONGEST = 80  # bytes: a prefix, a name and what is added to both are a file's name, 255 at most


def require_file_name(key: str, text: str) -> None:
    """Raise UserError where a part of a file's name, given under a key, can't be one."""
    if "/" in text:
        raise UserError(f"{key}={text} can't have a '/': it names files in output_dir")
    if not text.isprintable():
        raise UserError(f"{key}={text!r} names files: it can't have control characters")
    if len(text.encode()) > LONGEST:
        raise UserError(
            f"{key}={text[:20]}... names files: {len(text.encode())} bytes, at most {LONGEST}"
        )
