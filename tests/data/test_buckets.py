"""A folder with one file a bucket: its lines are problems, its files' names their buckets."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError


def line(prompt, *rewards, **more):
    scores = [{"score": reward} for reward in rewards]
    return {"prompt": prompt, "response": ["x"] * len(scores), "reward": scores, **more}


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def reader(path):
    path = path if isinstance(path, list) else str(path)
    return data.Buckets(path, "problem_id", "prompt", "reward_model")


def found(path):
    """[(prompt, bucket, number of rollouts)] in the order they are read."""
    problems, index, *_ = reader(path).load()
    rollouts = index["problem"].to_pylist()
    return [
        (problems.samples([i])[i].prompt, bucket, rollouts.count(i))
        for i, bucket in enumerate(problems.table["bucket"].to_pylist())
    ]


def test_a_file_is_a_bucket_and_a_line_a_problem(tmp_path):
    write(tmp_path, hard=[line("a", 0, 0)], easy=[line("b", 1, 1, 1), line("c", 1)])
    assert found(tmp_path) == [("b", "easy", 3), ("c", "easy", 1), ("a", "hard", 2)]


@pytest.mark.parametrize("name", ["stage1", "not so easy", "x_easy", "v1.5", "schwer-Ü", "00"])
def test_a_bucket_may_have_any_name(tmp_path, name):
    write(tmp_path, **{name: [line("a", 0)]})
    assert found(tmp_path) == [("a", name, 1)]


def test_only_jsonl_of_a_folder_is_read(tmp_path):
    write(tmp_path, easy=[line("a", 1)])
    write(tmp_path / "deeper", hard=[line("z", 0)])
    for name in ("buckets.json", "result.json", "stages.json", "notes.txt", ".easy.jsonl.swp"):
        (tmp_path / name).write_text(json.dumps(line("not a problem", 1)))
    pq.write_table(pa.table({"prompt": ["b"], "response": ["x"]}), tmp_path / "easy_train.parquet")
    assert found(tmp_path) == [("a", "easy", 1)]


def test_a_folder_without_jsonl_is_an_error(tmp_path):
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(UserError, match=r"has no .jsonl file"):
        reader(tmp_path).load()


def test_the_same_prompt_in_two_files_is_two_problems(tmp_path):
    write(tmp_path, easy=[line("a", 1), line("a", 1)], hard=[line("a", 0)])
    problems = reader(tmp_path).load().problems
    assert problems.table["bucket"].to_pylist() == ["easy", "easy", "hard"]
    assert len(set(problems.ids.to_pylist())) == 3


def test_an_empty_file_is_a_bucket_without_problems(tmp_path):
    write(tmp_path, easy=[], hard=[line("a", 0)])
    assert found(tmp_path) == [("a", "hard", 1)]


def test_files_of_one_name_are_one_bucket(tmp_path):
    write(tmp_path / "one", easy=[line("a", 1)], hard=[line("b", 0)])
    write(tmp_path / "two", easy=[line("c", 1)])
    assert found(f"{tmp_path}/*/*.jsonl") == [
        ("a", "easy", 1),
        ("b", "hard", 1),
        ("c", "easy", 1),
    ]


def test_files_named_one_by_one_may_be_parquet(tmp_path):
    write(tmp_path, easy=[line("a", 1)])
    rows = {"prompt": ["b", "b", "c"], "response": ["x", "y", "z"], "reward": [0.0, 1.0, 0.5]}
    pq.write_table(pa.table(rows), tmp_path / "hard.parquet")
    paths = [f"{tmp_path}/hard.parquet", f"{tmp_path}/easy.jsonl"]
    assert found(paths) == [("b", "hard", 2), ("c", "hard", 1), ("a", "easy", 1)]


def test_responses_line_up_with_the_rollouts(tmp_path):
    easy = [line("a", 1, 0) | {"response": ["one", "two"]}]
    hard = [line("b", 0) | {"response": {"choices": [{"message": {"content": "three"}}]}}]
    source = reader(write(tmp_path, easy=easy, hard=hard))
    index = source.load().rollouts
    texts = [text for batch in source.responses() for text in batch.to_pylist()]
    assert list(zip(index["problem"].to_pylist(), texts, strict=True)) == [
        (0, "one"),
        (0, "two"),
        (1, "three"),
    ]


def test_lines_that_can_t_be_read_are_rejected_with_file_and_line(tmp_path):
    write(tmp_path, easy=[line("a", 1)], hard=[line("b", 0), {"reward": [{"score": 1}]}])
    (one,) = reader(tmp_path).load().rejected
    assert one.file.endswith("hard.jsonl") and one.row == 2
    assert found(tmp_path) == [("a", "easy", 1), ("b", "hard", 1)]


def test_data_that_is_in_no_buckets_says_so(tmp_path):
    write(tmp_path, easy=[line("a", 1)])
    plain = data.Rollouts(str(tmp_path), "problem_id", "prompt", "reward_model")
    assert plain.load().problems.table["bucket"].to_pylist() == [None]


def rollouts(folder, *names):
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        line = {"prompt": f"{name} asks", "reward": [{"score": float(i % 2)}]}
        (folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    return data.Buckets(str(folder), "problem_id", "prompt", "reward_model")


def test_the_run_that_made_the_folder_knows_the_order(tmp_path):
    folder = rollouts(tmp_path, "steady", "moody", "wild", "unscored", "generations_0")
    assert folder.names() is None
    (tmp_path / "buckets.json").write_text(json.dumps({"names": ["wild", "moody", "steady"]}))
    assert folder.names() == ["wild", "moody", "steady"]


def test_a_prefix_belongs_to_the_names_also_beside_unscored_lines(tmp_path):
    folder = rollouts(tmp_path, "var_easy", "var_hard", "var_unscored")
    (tmp_path / "buckets.json").write_text(json.dumps({"names": ["easy", "hard"]}))
    assert folder.names() == ["var_easy", "var_hard"]


def test_a_folder_with_the_buckets_of_two_runs_is_refused(tmp_path):
    folder = rollouts(tmp_path, "easy", "hard", "m_easy", "m_hard")
    (tmp_path / "buckets.json").write_text(json.dumps({"names": ["easy", "hard"]}))
    with pytest.raises(UserError, match=r"several runs.*m_\*\.jsonl"):
        folder.names()
    one = data.Buckets(f"{tmp_path}/m_*.jsonl", "problem_id", "prompt", "reward_model")
    assert one.names() == ["m_easy", "m_hard"]


@pytest.mark.parametrize(
    "content", ["[1]", '{"a": 1}', "no JSON", '{"names": []}', '{"names": [1, 2]}']
)
def test_a_file_of_that_name_from_elsewhere_says_nothing(tmp_path, content):
    folder = rollouts(tmp_path, "easy", "hard")
    (tmp_path / "buckets.json").write_text(content)
    assert folder.names() is None


def test_a_folder_of_dumps_alone_has_no_bucket(tmp_path):
    folder = rollouts(tmp_path, "generations_0", "generations_1")
    with pytest.raises(UserError, match="dumps of generations only"):
        folder.names()
