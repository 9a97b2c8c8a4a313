"""What a run leaves for samplers: prompts that are the same when they are read again."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum.core.errors import UserError
from curriculum.core.prompts import Prompts
from curriculum.testing import make_prompts


@pytest.fixture
def odd():
    """Sources and buckets without prompts, out of alphabetical order; ids and infos that vary."""
    made = make_prompts(50, sources=3)
    return dataclasses.replace(
        made,
        ids=np.array([f"é{row}" for row in range(50)], object),
        index=1000 - np.arange(50),
        sources=["z", "none", *made.sources[:1], "a"],
        buckets=["easy", "unused", *made.buckets],
        bucket=made.bucket + 2,
        difficulty=np.where(np.arange(50) == 9, np.nan, made.difficulty),
        trained=np.arange(50) % 5 > 0,
        extra_info=np.array([None, *made.extra_info[1:]], object),
    )


def test_every_number_is_the_same_after_a_round_trip(odd, tmp_path):
    odd.save(tmp_path / "prompts.parquet")
    for place in (tmp_path, tmp_path / "prompts.parquet"):
        again = Prompts.load(place)
        for field in dataclasses.fields(Prompts):
            before, after = getattr(odd, field.name), getattr(again, field.name)
            numbers = getattr(before, "dtype", None) == np.float64
            assert np.array_equal(before, after, equal_nan=numbers), field.name
            assert type(before) is type(after)
            assert getattr(before, "dtype", None) == getattr(after, "dtype", None), field.name
        assert again.digest == odd.digest
    table = pq.read_table(tmp_path / "prompts.parquet")
    assert table["bucket"].to_pylist() == [odd.buckets[row] for row in odd.bucket]
    assert table["data_source"].to_pylist() == [odd.sources[row] for row in odd.source]


def test_no_prompts_at_all_are_read_too(tmp_path):
    make_prompts(3).take(np.zeros(0, np.int64)).save(tmp_path / "prompts.parquet")
    assert len(Prompts.load(tmp_path)) == 0


def test_the_training_side_is_what_is_not_held_out(odd):
    side = odd.training_side()
    assert side.index.tolist() == [1000 - row for row in range(50) if row % 5]
    assert side.rows_of(["é1", "é49", "é6"]).tolist() == [0, 39, 4]
    assert side.rows_of_index(np.array([999, 951])).tolist() == [0, 39]
    assert side.training_side() is side
    with pytest.raises(UserError, match="problem_id é0, é5"):
        side.rows_of(["é1", "é0", "é5"])
    with pytest.raises(UserError, match=r"extra_info\.index 1000"):
        side.rows_of_index([1000])
    with pytest.raises(UserError, match="not unique"):
        odd.take(np.array([3, 3])).rows_of_index([997])


def test_numbers_of_extra_info_are_found_by_name(odd):
    rows = np.array([7, 3])
    expected = make_prompts(50, sources=3).extra("score", rows)
    assert odd.extra("score", rows).tolist() == expected.tolist()
    assert odd.take(np.array([3, 7])).extra("score", np.array([1, 0])).tolist() == expected.tolist()
    with pytest.raises(UserError, match=r"extra_info\.score is no number for 1 of 50"):
        odd.extra("score", np.arange(50))


def test_what_is_no_such_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"prompts\.parquet"):
        Prompts.load(tmp_path)
    (tmp_path / "prompts.parquet").write_text("no parquet")
    with pytest.raises(UserError, match=r"prompts\.parquet"):
        Prompts.load(tmp_path)
    pq.write_table(pa.table({"n": [1.0]}), tmp_path / "other.parquet")
    with pytest.raises(UserError, match=r"other\.parquet"):
        Prompts.load(tmp_path / "other.parquet")
