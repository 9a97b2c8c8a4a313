"""LaTeX as MathML, in nodes of trees as `rendered` makes them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

Node = str | int | list[Any]

LONGEST = 1500  # characters of a formula that is drawn
ATTRIBUTES = {
    *("start", "display", "displaystyle", "scriptlevel", "mathvariant", "linethickness"),
    *("stretchy", "fence", "form", "separator", "lspace", "rspace", "minsize", "maxsize"),
    *("accent", "accentunder", "movablelimits", "width", "height", "depth", "notation"),
    *("columnalign", "columnspacing", "columnlines", "rowspacing", "rowlines"),
}


def formula(latex: str, alone: bool) -> Node:
    """A formula as MathML; where it can't be read, or is too long, as it was written.

    Args:
        alone: whether it stands on a line of its own.
    """
    from latex2mathml.converter import convert_to_element

    written: Node = ["code", latex]
    if len(latex) > LONGEST:
        return written
    try:
        # Not its `convert`, which turns escaped markup back into markup.
        return _element(convert_to_element(latex, display="block" if alone else "inline"))
    except Exception:  # whatever it raises of what a model wrote
        return written


def _element(element: Element) -> Node:
    node: list[Any] = [element.tag, *kept_attributes(element.attrib)]
    if element.text:
        node.append(html.unescape(element.text))  # it names its symbols so
    return [*node, *map(_element, element)]


def kept_attributes(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Those that only say how an element looks, as a node has them."""
    kept = {name: str(value) for name, value in values.items() if name in ATTRIBUTES}
    return [kept] if kept else []
