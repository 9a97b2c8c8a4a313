"""The live page: HTML that the server has written, and charts that the browser draws.

What a model, a data set or a log said is text: the templates escape it, and the policy lets no
script run but the two that this serves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from curriculum.core.charts import Spec
from curriculum.integrations.vega import bundle
from curriculum.report import FILE
from curriculum.report.library import SNIPPET
from curriculum.report.page import environment

TEMPLATES = ("curriculum.watch", "curriculum.report")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class View(NamedTuple):
    """What there is to see, of a run or of a sweep."""

    template: str
    shown: Mapping[str, Any]  # what the template is given
    charts: Mapping[str, Spec]
    done: bool  # there is `report.html`, and nothing to follow


def document(view: View, root: str) -> str:
    """The page as it is opened.

    Args:
        root: from there to where the scripts are, "" or "../".
    """
    template = environment(*TEMPLATES).get_template("live.html")
    style = _source("page.css") + _source("live.css")
    return template.render(root=root, style=style, parts=view.template, now=_now(), **view.shown)


def state(view: View) -> str:
    """What the page asks for again and again, as JSON."""
    html = environment(*TEMPLATES).get_template(view.template).render(now=_now(), **view.shown)
    found = {"html": html, "charts": view.charts, "report": FILE if view.done else None}
    return json.dumps(found, allow_nan=False)


def script() -> str:
    """What keeps the page up to date."""
    return _source("charts.js") + _source("live.js")


def library() -> str:
    """What draws the charts; it takes seconds the first time."""
    return bundle(SNIPPET)


def _now() -> str:
    return datetime.now().strftime("%H:%M:%S")


def _source(name: str) -> str:
    loader = environment(*TEMPLATES).loader
    assert loader is not None, "given below"
    return loader.get_source(environment(*TEMPLATES), name)[0]
