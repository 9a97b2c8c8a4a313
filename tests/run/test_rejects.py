"""What can't be measured is listed, with where it stands and its cause."""

import json
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curriculum.core.records import PROBLEM_SCHEMA, Problems, Rewards
from curriculum.run import rejects
from curriculum.run.context import Context
from curriculum.testing import write_rows


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


LINES: list[dict[str, Any]] = [
    {"prompt": f"q{i // 4}", "response": f"r{i}", "reward": float(i % 2)} for i in range(40)
]
LISTS = [
    {"prompt": f"p{i}", "responses": ["x", "y", "z"], "rewards": [1.0, None, 0.0]} for i in range(3)
]


def test_a_rollout_without_a_reward_is_named_by_its_file_and_line(run, tmp_path):
    folder = tmp_path / "rollouts"
    folder.mkdir()
    without = [{**row, "reward": None} if row["response"] == "r7" else row for row in LINES]
    write_rows(folder / "a.parquet", LINES[:10])
    (folder / "b.jsonl").write_text("\n\n" + "".join(json.dumps(row) + "\n" for row in without))
    write_rows(folder / "c.parquet", LISTS)
    write_rows(folder / "d.jsonl", LISTS)
    write_rows(folder / "e.parquet", [{**row, "prompt": "e" + row["prompt"]} for row in without])
    for _ in range(2):  # the second time from the store
        command = ["data=rollouts", f"data.path={folder}", f"store_dir={tmp_path}/store"]
        done = run(*command, "report.examples=0")
        assert done.returncode == 0, done.stderr
        assert f"the first: {folder}/b.jsonl:10: no recorded reward" in done.stderr
        failed = pq.read_table(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")
        places = [place.removeprefix(f"{folder}/") for place in failed["row"].to_pylist()]
        lists = [f"{name}:{row}" for name in ("c.parquet", "d.jsonl") for row in (1, 2, 3)]
        assert places == ["b.jsonl:10", *lists, "e.parquet:8"]
