"""The prompts of a trainer's rows: what the rows say, what a run measured, and what is refused."""

import numpy as np
import pytest

from curriculum.core.errors import UserError
from curriculum.integrations.rows import prompts_of
from curriculum.testing import make_prompts


def test_rows_of_stage_files_say_what_was_measured():
    infos = [
        {
            "index": 7,
            "problem_id": "seven",
            "curriculum_stage": "hard",
            "difficulty_metrics": {"n": 8, "c": 2},
            "complexity_score": 0.75,
        },
        {
            "index": 3,
            "curriculum_stage": "easy",
            "difficulty_metrics": {"n": 8, "c": 6},
            "complexity_score": 0.25,
        },
    ]
    prompts = prompts_of(infos, ["b", "a"])
    assert prompts.ids.tolist() == ["seven", "3"]
    assert prompts.index.tolist() == [7, 3]
    assert [prompts.sources[each] for each in prompts.source] == ["b", "a"]
    assert prompts.buckets == ["easy", "hard"] and prompts.bucket.tolist() == [1, 0]
    assert prompts.n.tolist() == [8, 8] and prompts.c.tolist() == [2, 6]
    assert prompts.difficulty.tolist() == [0.75, 0.25]


@pytest.mark.parametrize("said", [None, {}, {"n": 16}, {"c": 4}, {"n": "16", "c": "4"}])
def test_a_row_that_says_half_of_it_was_never_measured(said):
    prompts = prompts_of([{"index": 0, "difficulty_metrics": said}], ["a"])
    assert prompts.n.tolist() == prompts.c.tolist() == [0]
    assert np.isnan(prompts.difficulty).all()


def test_a_run_is_taken_in_the_order_of_the_rows(tmp_path):
    measured = make_prompts(6)
    measured.save(tmp_path / "prompts.parquet")
    infos: list[dict[str, object]] = [{"index": 4, "problem_id": "p4"}, {"index": 1}]
    prompts = prompts_of(infos, ["s0", "s0"], str(tmp_path))
    assert prompts.ids.tolist() == ["p4", "p1"]
    assert prompts.c.tolist() == measured.c[[4, 1]].tolist()


@pytest.mark.parametrize(
    ("infos", "message"),
    [
        ([], "no row"),
        ([{"index": 1}, {}], "no whole number in 1 of 2 rows"),
        ([{"index": "1"}], "no whole number in 1 of 1 rows"),
        ([{"index": 1}, {"index": 1}], "index=1 is in 2 rows"),
        ([{"index": 9}], "no prompt here has extra_info.index 9"),
        ([{"index": 1, "problem_id": "p2"}], "p2 here, p1 there"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, infos, message):
    make_prompts(6).save(tmp_path / "prompts.parquet")
    with pytest.raises(UserError, match=message):
        prompts_of(infos, ["s0"] * len(infos), str(tmp_path))
