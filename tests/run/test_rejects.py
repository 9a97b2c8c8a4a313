"""Problems that can't be measured are listed with their cause."""

import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.records import PROBLEM_SCHEMA, Problems, Rewards
from curriculum.run import rejects
from curriculum.run.context import Context


def test_many_repeated_problems_are_told_from_those_without_a_rollout(tmp_path):
    n = 100_000
    repeated = [f"a#{i}" for i in range(2, n + 2)]
    ids = ["a", "b", *repeated]
    columns = {
        "problem_id": ids,
        **{name: ["x"] * len(ids) for name in ("data_source", "prompt", "file")},
        **{name: range(len(ids)) for name in ("data_idx", "position")},
    }
    missing = [None] * len(ids)
    arrays = [pa.array(columns.get(each.name, missing), each.type) for each in PROBLEM_SCHEMA]
    problems = Problems(pa.table(arrays, schema=PROBLEM_SCHEMA))
    only_a = Rewards(np.array([0]), np.array([1.0]), np.array([0, 1]))
    context = Context.of({"store_dir": "none"}, tmp_path, {})
    start = time.monotonic()
    rejects.problems_without_reward(problems, only_a, context)
    assert time.monotonic() - start < 20  # two minutes where each is looked up in all others
    assert context.ledger.result().counts == {"problems_without_reward": 1, "repeated_problems": n}
    for name, expected in (("problems_without_reward", ["b"]), ("repeated_problems", repeated)):
        table = pq.read_table(tmp_path / "rejects" / f"{name}.parquet")
        assert table["problem_id"].to_pylist() == expected
