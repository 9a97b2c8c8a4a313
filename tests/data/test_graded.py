"""Problems in levels: as many as said, none twice, some held out."""

import json
from collections import Counter

import pytest

from curriculum.core.errors import UserError
from curriculum.data import GradedTasks
from curriculum.demo.coin import compute_score


def rows_of(**given):
    rows = GradedTasks(**given).load().problems.table.to_pylist()
    infos = [json.loads(row["extra_info"]) for row in rows]
    return rows, infos


def test_each_level_has_its_number_and_no_prompt_is_there_twice():
    rows, infos = rows_of(tasks=["reverse", "coin"], pool=[10, 0, 30], held_out=20)
    counts = Counter(
        (row["data_source"], info["level"], info["split"])
        for row, info in zip(rows, infos, strict=True)
    )
    assert counts == {
        **{("reverse", level, "test"): 20 for level in (1, 2, 3)},
        **{(task, 1, "train"): 10 for task in ("reverse", "coin")},
        **{(task, 3, "train"): 30 for task in ("reverse", "coin")},
    }
    assert len({row["prompt"] for row in rows}) == len(rows)
    assert [info["index"] for info in infos] == list(range(len(rows)))
    for row in rows:
        string = json.loads(row["prompt"]).removesuffix("=")
        if row["data_source"] == "reverse":
            assert string.removeprefix("R:")[::-1] == json.loads(row["ground_truth"])
    assert rows == rows_of(tasks=["reverse", "coin"], pool=[10, 0, 30], held_out=20)[0]
    other = rows_of(tasks=["reverse"], pool=[10, 0, 30], held_out=20, seed=1)[0]
    assert rows[:20] != other[:20]


def test_a_level_that_has_too_few_gives_what_it_has(caplog):
    rows, infos = rows_of(tasks=["reverse"], pool=[1000], held_out=60)
    assert len(rows) == 20**2, "all strings of two of twenty letters"
    assert sum(info["split"] == "test" for info in infos) == 60
    assert "reverse has 340 of 1000 problems of level 1 to train" in caplog.text


def test_tasks_and_levels_that_are_not_there_are_errors():
    with pytest.raises(
        UserError, match=r"data\.tasks: no sums; there are reverse, coin, chain_sum"
    ):
        GradedTasks(tasks=["sums"], pool=[1])
    with pytest.raises(UserError, match="9 levels, and reverse has 8"):
        GradedTasks(tasks=["reverse"], pool=[1] * 9)


def test_coins_are_tossed_and_others_are_right_or_wrong():
    assert compute_score("reverse", " cba", "cba", {}) == 1
    assert compute_score("reverse", "abc", "cba", {}) == 0
    tosses = [compute_score("coin", "abc", "coin", {}) for _ in range(2000)]
    assert set(tosses) == {0.0, 1.0}
    assert abs(sum(tosses) - 1000) < 4 * 500**0.5
