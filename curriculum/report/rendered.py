"""Markdown and LaTeX of texts as trees of elements, which a page builds node by node.

Nothing in a tree is markup. It is JSON: an element is a list, `[name, attributes, *children]`, of
names and attributes that the libraries know; a number is the place of a formula in a list that all
trees share. Links and images stay the text that they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from curriculum.report.formulas import LONGEST, Node, formula, kept_attributes
from curriculum.report.texts import LEFT_OUT

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

# What marked text has; other text, like 3*4, need not be parsed.
MARKED = re.compile(r"[$`\\#|]|__|\*(?![\w(])|(?<![\w)])\*|^ {0,3}(?:[-+>]|\d+[.)]) ", re.MULTILINE)
OPENING = re.compile(r"\\\(|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
TIMES = re.compile(r"[\w)]\*[\w(]")
CLOSING = {"\\(": "\\)", "\\[": "\\]"}
# Of texts and not of pages: a model's four spaces are no code, and its --- is no heading.
OFF = ("link", "image", "autolink", "reference", "entity", "code", "lheading")


@dataclass(frozen=True)
class Rendered:
    """What trees share, and how many texts have to do without one."""

    formulas: list[Node]
    left_raw: int


def render(problems: Sequence[dict[str, Any]], room: int) -> Rendered:
    """Put trees beside the texts of problems, the first ones first.

    Args:
        problems: JSON values as in `Examples`; what has a tree gets it as `rendered`.
        room: bytes of all trees together.
    """
    renderer = Renderer(room)
    for problem in problems:
        prompt = [renderer.tree(text) for _, text in problem["prompt"]]
        if any(prompt):
            problem["rendered"] = prompt
        for response in problem["responses"]:
            if tree := renderer.tree(response["text"]):
                response["rendered"] = tree
    return Rendered(renderer.formulas, renderer.left_raw)


class Renderer:
    """Turns texts into trees as long as there is room for them.

    Args:
        room: bytes of all trees and formulas together.
    """

    def __init__(self, room: int) -> None:
        self.formulas: list[Node] = []
        self.left_raw = 0  # texts that are marked and without a tree
        self._places: dict[tuple[str, bool], int] = {}
        self._left = room

    def tree(self, text: str | None) -> list[Node] | None:
        """What a page shows of a text; None where that is the text as it is."""
        if text is None or not MARKED.search(text):
            return None
        if self._left < len(text):
            self._left = 0  # no shorter one is taken out of turn
            self.left_raw += 1
            return None
        known = len(self.formulas)
        # A fence that is open where a text was cut does not hold what comes behind it.
        tokens = [token for part in LEFT_OUT.split(text) for token in _parser().parse(part)]
        nodes = _nodes(tokens, self._place)
        plain = all(map(_is_plain, nodes))
        self._left -= len(text) if plain else _size([nodes, self.formulas[known:]])
        return None if plain else nodes

    def _place(self, latex: str, alone: bool) -> int:
        """Of a formula: responses to one problem share most of theirs."""
        place = self._places.setdefault((latex, alone), len(self.formulas))
        if place == len(self.formulas):
            self.formulas.append(formula(latex, alone))
        return place


def _size(nodes: Sequence[Any]) -> int:
    return len(json.dumps(nodes, ensure_ascii=False).encode())


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(OFF)
    dollarmath_plugin(
        parser,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,  # $5 and $10
        allow_blank_lines=False,
        double_inline=True,
    )
    parser.inline.ruler.before("escape", "bracketed_math", _bracketed_math)
    parser.inline.ruler.before("emphasis", "times", _times)
    return parser


def _bracketed_math(state: StateInline, silent: bool) -> bool:
    r"""A rule for `\(...\)`, `\[...\]` and environments; the library's own look all the way."""
    opening = OPENING.match(state.src, state.pos)
    if opening is None:
        return False
    closing = CLOSING.get(opening[0], f"\\end{{{opening[1]}}}")
    end = state.src.find(closing, opening.end(), opening.end() + LONGEST)
    if end < 0:
        return False
    if not silent:
        token = state.push("math_inline" if opening[0] == "\\(" else "math_block", "math", 0)
        whole = state.src[state.pos : end + len(closing)]
        token.content = whole if opening[1] else state.src[opening.end() : end]
    state.pos = end + len(closing)
    return True


def _times(state: StateInline, silent: bool) -> bool:
    """A rule for the lone * in 3*4*5, which multiplies and does not emphasise."""
    if not TIMES.match(state.src, max(state.pos - 1, 0), state.pos + 2):
        return False
    if not silent:
        state.pending += "*"
    state.pos += 1
    return True


def _nodes(tokens: Sequence[Token], place: Callable[[str, bool], int]) -> list[Node]:
    """The tree of a parser's tokens, in which a formula is its place."""
    root: list[Any] = []
    open_nodes = [root]
    for token in tokens:
        if token.hidden:  # the paragraphs of a tight list
            continue
        if token.nesting > 0:
            node = [
                "h4" if token.type == "heading_open" else token.tag,
                *kept_attributes(token.attrs),
            ]
            open_nodes[-1].append(node)
            open_nodes.append(node)
        elif token.nesting < 0:
            open_nodes.pop()
        else:
            open_nodes[-1] += _leaves(token, place)
    return root


def _leaves(token: Token, place: Callable[[str, bool], int]) -> list[Node]:
    if token.children is not None and token.type == "inline":
        return _nodes(token.children, place)
    if token.tag == "math":
        return [place(token.content.strip(), token.type != "math_inline")]
    if token.type in ("fence", "code_block"):
        return [["pre", token.content.removesuffix("\n")]]
    if token.tag:  # br, a line's end in the text too; hr; code
        return [[token.tag, *([token.content] if token.content else [])]]
    return [token.content] if token.content else []


def _is_plain(node: Node) -> bool:
    """Whether a node looks as its text does."""
    if isinstance(node, list):
        return node[0] in ("p", "br") and all(map(_is_plain, node[1:]))
    return isinstance(node, str)
