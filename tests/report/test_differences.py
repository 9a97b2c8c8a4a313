"""What two responses say differently: which two, which words, and at what cost."""

from __future__ import annotations

import time

import pytest

from curriculum.report.differences import compare_responses, difference


def response(text, passed=None, failure=None):
    return {"text": text} | ({} if passed is None else {"passed": passed, "failure": failure})


def test_words_are_told_apart_by_whose_they_are():
    parts = difference("it is 3 + 4,\nso 7", "it  is 3 + 5,\nso 8 or so")
    assert parts == [
        (0, "it is 3 + "),
        (1, "4,\n"),
        (2, "5,\n"),
        (0, "so "),
        (1, "7"),
        (2, "8 or so"),
    ]


def test_what_both_say_is_abridged_and_nothing_in_common_is_no_difference():
    words = [f"w{i} " for i in range(40)]
    assert difference("".join(words) + "a", "".join(words) + "b") == [
        (0, "".join(words[:8]) + "… " + "".join(words[-8:])),
        (1, "a"),
        (2, "b"),
    ]
    assert difference("1", "2") == [] and difference("", "") == []
    assert difference("the same", "the same") == [(0, "the same")]


@pytest.mark.parametrize(
    ("responses", "pair"),
    [
        ([response("a b", False), response("a c", True), response("a d", True)], (1, 0)),
        ([response("a b", True), response("a c", True), response("a d", True)], None),
        ([response("a b", True), response("a c", True)], (0, 1)),
        ([response("a b"), response("a c")], (0, 1)),
        ([response("a b"), response("a c"), response("a d")], None),
        ([response("a", True), response("a", False, "hung"), response("a b", False)], (0, 2)),
        ([response(None, True), response("a", False), response("a", True)], (2, 1)),
        ([response(None), response("a")], None),
        ([], None),
    ],
)
def test_one_that_passed_is_held_against_one_that_failed_or_the_two_there_are(responses, pair):
    problem = {"responses": responses}
    compare_responses([problem], room=1000)
    assert problem.get("difference", {}).get("pair") == pair


def test_the_first_problems_have_the_room():
    problems = [{"responses": [response("a b", True), response("a c", False)]} for _ in range(3)]
    compare_responses(problems, room=5)  # a pair takes four bytes
    assert ["difference" in problem for problem in problems] == [True, True, False]


@pytest.mark.parametrize("words", [["x"], [f"w{i}" for i in range(30)], ["a", "b"]])
def test_endless_responses_cost_no_seconds(words):
    first, second = ((" ".join(each) + " ") * 20_000 for each in (words, words[::-1]))
    start = time.process_time()
    parts = difference(first[:100_000], second[:100_000])
    assert time.process_time() - start < 1
    assert sum(len(text) for _, text in parts) < 10_000
