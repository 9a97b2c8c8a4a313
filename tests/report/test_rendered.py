"""Markdown and LaTeX as trees: what they show, what they leave alone, what they cost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from curriculum.report.formulas import formula
from curriculum.report.rendered import Renderer, render

X = ["math", {"display": "inline"}, ["mrow", ["mi", "x"]]]


def tree(text):
    return Renderer(1_000_000).tree(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**b** and *i*", [["p", ["strong", "b"], " and ", ["em", "i"]]]),
        ("# A\n\n1. a\n2. b", [["h4", "A"], ["ol", ["li", "a"], ["li", "b"]]]),
        ("3. a", [["ol", {"start": "3"}, ["li", "a"]]]),
        ("`a`\nb", [["p", ["code", "a"], ["br"], "b"]]),
        ("```py\na = 1\n```", [["pre", "a = 1"]]),
        ("so $x$, $$y$$ or \\(x\\)", [["p", "so ", 0, ", ", 1, " or ", 0]]),
        ("\\[\nx\n\\]", [["p", 0]]),
        ("**2*3*4**", [["p", ["strong", "2*3*4"]]]),
    ],
)
def test_marks_become_elements(text, expected):
    assert tree(text) == expected


@pytest.mark.parametrize(
    "text", [None, "", "3*4*5 = 60", "2 apples\nof $5 and $10", "a_b_c", "no marks", r"\(open"]
)
def test_text_that_looks_as_it_is_has_no_tree(text):
    assert tree(text) is None


def test_links_images_and_markup_stay_text():
    text = "**a** [b](http://c) ![d](http://e) <http://f> <i>g</i> &lt;"
    assert tree(text) == [["p", ["strong", "a"], text.removeprefix("**a**")]]


def test_formulas_are_shared_and_hold_no_markup():
    renderer = Renderer(1_000_000)
    assert renderer.tree("$x$ $x$") == renderer.tree(r"\(x\) $x$") == [["p", 0, " ", 0]]
    assert renderer.formulas == [X]
    nested = ["mrow", ["mrow", ["mrow", ["mi", "x"]]]]
    assert formula(r"\href{javascript:a}{x}", False) == [*X[:2], nested]
    text = ["mrow", ["mtext", "<img\u00a0onerror=a>"]]
    assert formula(r"\text{<img onerror=a>}", False) == [*X[:2], text]
    added = ["mrow", ["mi", "a"], ["mo", "+"], ["mi", "b"]]
    assert formula("a+b", False) == [*X[:2], added]


@pytest.mark.parametrize("latex", [r"\frac", "{" * 1400, "x^" * 700, "x" * 2000, r"\left("])
def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written(latex):
    assert formula(latex, False) == ["code", latex]


def test_the_first_texts_have_the_room_and_the_others_stay_raw():
    problems: list[dict[str, Any]] = [
        {"prompt": [[None, "**p**"]], "responses": [{"text": "*r*"}, {"text": "plain"}]}
        for _ in range(3)
    ]
    found = render(problems, room=80)
    assert ["rendered" in each for each in problems] == [True, True, False]
    assert problems[0]["rendered"] == [[["p", ["strong", "p"]]]]
    assert problems[0]["responses"][0]["rendered"] == [["p", ["em", "r"]]]
    assert "rendered" not in problems[0]["responses"][1]
    assert found.left_raw == 3


@pytest.mark.parametrize(
    "part", ["$a$ ", r"\(", r"\begin{a}", "**a", "[", "`a", "> ", "$$ a\n", "|a|b|\n", "- "]
)
def test_what_a_page_shows_of_an_endless_text_costs_no_seconds(part):
    from curriculum.report.texts import cut_texts

    problem = {"prompt": [[None, part * (100_000 // len(part))]], "truth": None, "responses": []}
    start = time.process_time()
    cut_texts([problem], 3_000_000)
    render([problem], 1_000_000)
    assert time.process_time() - start < 1
