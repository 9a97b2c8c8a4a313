"""The charts' script: inside of a page that stands alone, one file beside the pages of a sweep."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from curriculum.core.atomic import whole
from curriculum.integrations.vega import bundle
from curriculum.store.entries import Store

FILE = "vega.js"
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # what the script is to leave behind


@dataclass(frozen=True)
class Library:
    """Vega, Vega-Lite and Vega-Embed as one script, made once a store."""

    store: Store
    sweep: Path | None = None  # the folder whose pages share a file; None: a page has it inside

    @cached_property
    def text(self) -> str:
        """The script."""

        def make(folder: Path) -> dict[str, int]:
            (folder / FILE).write_text(bundle(SNIPPET), encoding="utf-8", newline="\n")
            return {}

        made_of = {"vl_convert": version("vl-convert-python"), "snippet": SNIPPET}
        entry = self.store.entry("report_assets", made_of, make, level=logging.DEBUG)
        return (entry.folder / FILE).read_text(encoding="utf-8")

    def given_to(self, folder: Path) -> tuple[str, str]:
        """What the page in a folder has inside, and the file that it links to: one is empty."""
        if self.sweep is None:
            return self.text, ""
        shared, content = self.sweep / FILE, self.text.encode()
        if not shared.exists() or shared.read_bytes() != content:
            with whole(shared) as path:
                path.write_bytes(content)
        return "", quote(Path(os.path.relpath(shared, folder)).as_posix())
