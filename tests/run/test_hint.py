"""Counts of an earlier run, found by the ids of the problems."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum.core.errors import UserError
from curriculum.core.records import Problems
from curriculum.core.run_result import RunResult
from curriculum.run.hint import counts_of, require_other


def problems_of(ids):
    from curriculum.testing import make_problems

    table = make_problems(len(ids)).table
    return Problems(table.set_column(0, table.schema.field(0), pa.array(ids, pa.string())))


def test_a_run_tells_its_counts_by_the_id_of_a_problem(run, tmp_path):
    done = run("until=buckets", "data.limit=50")
    assert done.returncode == 0, done.stderr
    left = pq.read_table(tmp_path / "out" / "buckets.parquet")
    ids = left["problem_id"].to_pylist()
    n, c = counts_of(tmp_path / "out", problems_of([ids[7], "no such one", ids[3]]), tmp_path)
    assert n.tolist() == [left["n"][7].as_py(), 0, left["n"][3].as_py()]
    assert c.tolist() == [left["c"][7].as_py(), 0, left["c"][3].as_py()]


def counted(folder, ids=("a", "b"), **columns):
    folder.mkdir()
    columns = columns or {"n": [8] * len(ids), "c": [4] * len(ids)}
    pq.write_table(pa.table({"problem_id": list(ids), **columns}), folder / "buckets.parquet")
    return folder


def test_a_run_of_other_problems_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none of the 2 problems.*like a, these like x.*id_key"):
        counts_of(counted(tmp_path / "run"), problems_of(["x", "y"]), tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), r"no counts.*came to its buckets.*buckets\.parquet"),
        (lambda folder: counted(folder, n=[1, 1]), "no problem_id, n and c"),
        (lambda folder: counted(folder, [], n=[], c=[]), "no problem_id, n and c of any"),
    ],
)
def test_what_is_no_run_with_counts_is_refused(tmp_path, make, message):
    make(tmp_path / "run")
    with pytest.raises(UserError, match=rf"budget\.hint=.*{message}"):
        counts_of(tmp_path / "run", problems_of(["a"]), tmp_path)


def test_a_run_is_no_hint_of_its_own(tmp_path):
    own = counted(tmp_path / "run")
    with pytest.raises(UserError, match="own output_dir"):
        counts_of(tmp_path / "run" / ".." / "run", problems_of(["a"]), own)


def test_rollouts_of_the_same_model_settings_and_seed_would_count_twice(tmp_path):
    RunResult("completed", results={"sampling": "abc"}).write(tmp_path)
    with pytest.raises(UserError, match=r"count twice: generator\.seed=1"):
        require_other(tmp_path, "abc")
    require_other(tmp_path, "abd")
    require_other(tmp_path / "of files alone", "abc")


def test_all_problems_are_found_whatever_their_order(tmp_path):
    folder = counted(tmp_path / "run", ["a", "b", "c"], n=[1, 2, 3], c=[0, 1, 3])
    n, c = counts_of(folder, problems_of(["c", "a", "b"]), tmp_path)
    assert (n.tolist(), c.tolist()) == ([3, 1, 2], [3, 0, 1])
    assert n.dtype == np.int64
