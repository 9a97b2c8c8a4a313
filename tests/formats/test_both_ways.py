"""The quick way through parquet and the way row by row say the same of the same rows."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError

VALUES: dict[str, list] = {
    "prompt": ["a", "b"],
    "question": ["a", "c"],
    "original_prompt": ["a", "o"],
    "ground_truth": ["1"],
    "original_answer": ["1"],
    "reward_model": [{"ground_truth": "1"}],
    "data_source": ["s"],
    "problem_id": ["i"],
    "extra_info": [{"a": 1}],
    "data_idx": [0, 1],
    "original_data_idx": [0, 1],
    "sample_idx": [0, 1, 2],
    "response": ["r", "t"],
    "output": ["r", "u"],
    "reward": [0.0, 1.0],
    "score": [0.5, 2.0],
    "metrics": [{"score": 3.0, "acc": 4.0}],
    "acc": [5.0, 6.0],
    "finish_reason": ["stop", "length"],
    "stop_reason": ["max_tokens"],
    "step": [1],
    "mine": ["x", "y"],
    "images": [["i"]],
}
NAMES = {
    "prompt": ["mine", "question", "original_prompt"],
    "problem_id": ["mine", "data_idx"],
    "response": ["mine", "output"],
    "reward": ["acc", "score", "metrics"],
    "finish_reason": ["stop_reason"],
    "data_idx": ["sample_idx", "step"],
}


def case(rng):
    """Rows with gaps, and how they are read."""
    used = [name for name in VALUES if rng.random() < 0.3]
    used += [name for name in ("response", "prompt", "reward") if rng.random() < 0.8]
    gaps = {name: rng.random() < 0.3 for name in used}
    rows = [
        {n: None if gaps[n] and rng.random() < 0.5 else rng.choice(VALUES[n]) for n in used}
        for _ in range(rng.randint(1, 4))
    ]
    keys = {}
    if rng.random() < 0.6:
        roles = rng.sample(list(NAMES), rng.randint(1, 3))
        keys["columns"] = {role: rng.choice(NAMES[role]) for role in roles}
    if rng.random() < 0.3:
        keys["reward_key"] = rng.choice(["acc", "score"])
    if rng.random() < 0.2:
        keys["prompt_key"] = rng.choice(["question", "mine"])
    return rows, keys


def read(path, **keys):
    """Everything that is used of a file, None where it is refused."""
    source = data.Rollouts(str(path), **keys)
    try:
        problems, index, rejected, rows, *_ = source.load()
    except UserError:
        return None
    assert index is not None
    answers = [text for batch in source.responses() for text in batch.to_pylist()]
    pairs = zip(index.to_pylist(), answers, strict=True)
    used = [(rollout, answer) for rollout, answer in pairs if rollout["problem"] >= 0]
    told = problems.table.select(["problem_id", "data_source", "prompt", "ground_truth"])
    return told.to_pylist(), used, sorted(each.row for each in rejected), rows


@pytest.mark.parametrize("seed", range(6))
def test_parquet_and_lines_of_the_same_rows_say_the_same(tmp_path, seed):
    rng = random.Random(seed)
    for _ in range(60):
        rows, keys = case(rng)
        try:
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
        except pa.ArrowInvalid:
            continue
        written = pq.read_table(tmp_path / "a.parquet").to_pylist()
        lines = [json.dumps(row) + "\n" for row in written]
        (tmp_path / "a.jsonl").write_text("".join(lines))
        both = [read(tmp_path / name, **keys) for name in ("a.parquet", "a.jsonl")]
        assert both[0] == both[1], (rows, keys)
