"""One HTML file of a template, data and scripts, that fetches nothing from a network.

What a model or a data set said is text on the page: the templates escape it, scripts find it as
JSON in a data block and only ever set text with it, and the policy lets no other script run.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curriculum.core.atomic import whole
from curriculum.report.library import Library

if TYPE_CHECKING:
    from jinja2 import Environment

FILE = "report.html"


def write(
    folder: Path,
    template: str,
    scripts: Sequence[str],
    data: Mapping[str, Any],
    library: Library | None,
    shown: Mapping[str, Any],
    name: str = FILE,
) -> Path:
    """Write a page in one go.

    Args:
        template: of `templates/`.
        scripts: files of `templates/`, one module together.
        data: JSON values for the scripts.
        library: what draws charts; None for a page without any.
        shown: what the template is given.
        name: of the file.

    Returns:
        The file's path.
    """
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup

    own = "\n".join(_source(name) for name in scripts)
    embedded, linked = library.given_to(folder) if library else ("", "")
    # The policy's hashes and the markup are of the same text, so neither may be changed later.
    dumps = partial(json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = htmlsafe_json_dumps(data, dumps=dumps)
    html = (
        environment("curriculum.report")
        .get_template(template)
        .render(
            policy=_policy([each for each in (embedded, own) if each], bool(linked)),
            style=Markup(_source("page.css")),
            library=Markup(embedded),
            linked=linked,
            script=Markup(own),
            data=Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")),
            **shown,
        )
    )
    with whole(folder / name) as path:
        path.write_text(html, encoding="utf-8", newline="\n")
    return folder / name


def number(value: float | None, form: str = ",.0f") -> str:
    """A number in the form, a dash where there is none."""
    return "-" if value is None else format(value, form)


@cache
def environment(*packages: str) -> Environment:
    """Of the templates of these packages, an earlier one's first; each compiled once a process."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader([PackageLoader(each) for each in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    return made


def _source(name: str) -> str:
    return (files("curriculum.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str], shares: bool) -> str:
    """Content security: these scripts and no other, and nothing is fetched from elsewhere.

    'unsafe-eval' is not needed: charts are embedded with Vega's interpreter of expressions.

    Args:
        shares: whether a script beside the page is allowed too. No hash can name that one: of
            files that are opened from a folder browsers let no page see the content.
    """
    hashes = [b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
    beside = ("'self'", "file:") if shares else ()
    allowed = " ".join([*(f"'sha256-{each}'" for each in hashes), *beside]) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
