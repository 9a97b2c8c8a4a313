"""Lengths of what passed and failed, and what was cut off, by bucket."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa

from curriculum.core.records import ROLLOUT_SCHEMA, Rollouts
from curriculum.report.lengths import texts_and_lengths
from tests.report.test_page import read, table_after


def rollouts_of(*batches: list[str | None]) -> tuple[Rollouts, list[int]]:
    """And how many batches were read, each time that they are."""
    count, readings = sum(map(len, batches)), []

    def responses():
        readings.append(0)
        for batch in batches:
            readings[-1] += 1
            yield pa.array(batch, pa.string())

    rows = {"problem": [0] * count, "sample_idx": range(count)}
    table = pa.table(
        {**rows, "reward": pa.nulls(count), "finish_reason": pa.nulls(count)}, ROLLOUT_SCHEMA
    )
    return Rollouts(table, responses, lambda: iter(())), readings


def test_texts_and_lengths_come_of_one_reading():
    rollouts, readings = rollouts_of(["a", "éé"], [None], ["", "dddd"])
    texts, lengths = texts_and_lengths(rollouts, np.array([1, 0]))
    assert texts.to_pylist() == ["éé", "a"]
    np.testing.assert_array_equal(lengths, [1, 2, np.nan, 0, 4])
    assert readings == [3]
    texts, lengths = texts_and_lengths(rollouts_of()[0], np.array([], np.int64))
    assert len(texts) == len(lengths) == 0


def test_the_page_tells_them_by_bucket(run, tmp_path):
    """Ten responses a problem: of 1 to 10 characters, the long ones of `b` fail and are cut off."""
    rows = [
        {
            "problem_id": name,
            "prompt": name,
            "response": "x" * (i + 1),
            "score": float(i < passes),
            "finish_reason": "length" if name == "b" and i >= 8 else "stop",
        }
        for name, passes in (("a", 10), ("b", 4))
        for i in range(10)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("data=rollouts", f"data.path={tmp_path}/rows.jsonl")
    assert done.returncode == 0, done.stderr
    table = table_after(read(tmp_path / "out"), "lengths")
    assert [row[1:] for row in table] == [
        ["passed", "10", "1", "5", "9", "0 (0.0%)"],
        ["passed", "4", "1", "2", "4", "0 (0.0%)"],
        ["failed", "6", "5", "7", "10", "2 (33.3%)"],
    ]


def test_nothing_is_told_where_neither_lengths_nor_ends_are_known(run, tmp_path):
    rows = [{"prompt": f"p{i}", "pass_rate": i / 4, "n": 4} for i in range(5)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("data=rollouts", f"data.path={tmp_path}/rows.jsonl")
    assert done.returncode == 0, done.stderr
    assert not re.search("How long the responses are|#lengths", read(tmp_path / "out"))


def test_where_no_end_is_known_none_is_told(run, tmp_path):
    rows = [{"prompt": f"p{i}", "response": "r", "score": i % 2} for i in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("data=rollouts", f"data.path={tmp_path}/rows.jsonl").returncode == 0
    assert {row[-1] for row in table_after(read(tmp_path / "out"), "lengths")} == {"not known"}
