"""Finding input: files, folders, globs, lists of them, and anything that fsspec opens."""

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.formats.files import find

LINE = b'{"prompt": "%s", "response": "answer to %s", "reward": 1.0}\n'


def line(name):
    return LINE.replace(b"%s", name.encode())


def reader(path):
    return data.Rollouts(path, "problem_id", "prompt", "reward_model")


def prompts(path):
    problems = reader(path).load().problems
    return [problems.samples([i])[i].prompt for i in range(len(problems))]


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "c.json"):
        (tmp_path / name).write_bytes(line(name))
    pq.write_table(pa.table({"prompt": ["d.parquet"], "response": ["x"]}), tmp_path / "d.parquet")
    return tmp_path


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    filesystem.makedirs("/rollouts")
    yield filesystem
    filesystem.rm("/rollouts", recursive=True)


def test_a_folder_is_read_in_order_of_names_without_other_files(folder):
    (folder / "README.txt").write_text("not data")
    (folder / "nested.jsonl.d").mkdir()
    assert prompts(str(folder)) == ["a.jsonl", "b.jsonl", "c.json", "d.parquet"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("b.jsonl", ["b.jsonl"]),
        ("*.jsonl", ["a.jsonl", "b.jsonl"]),
        (["d.parquet", "a.jsonl"], ["d.parquet", "a.jsonl"]),
        (["c.json", "*.jsonl"], ["c.json", "a.jsonl", "b.jsonl"]),
    ],
    ids=str,
)
def test_files_globs_and_lists_of_them(folder, path, found):
    wanted = [path] if isinstance(path, str) else path
    paths = [f"{folder}/{each}" for each in wanted]
    assert prompts(paths if isinstance(path, list) else paths[0]) == found


def test_a_name_with_brackets_is_a_name(tmp_path):
    (tmp_path / "part[1].jsonl").write_bytes(line("q"))
    assert prompts(str(tmp_path / "part[1].jsonl")) == ["q"]


@pytest.mark.parametrize("path", ["memory://rollouts", "memory://rollouts/*.jsonl"])
def test_folders_and_globs_of_another_filesystem(memory, path):
    memory.pipe("/rollouts/b.jsonl", line("b"))
    memory.pipe("/rollouts/a.jsonl", line("a"))
    source = reader(path)
    assert prompts(path) == ["a", "b"]
    assert [text for batch in source.responses() for text in batch.to_pylist()] == [
        "answer to a",
        "answer to b",
    ]
    assert [file.url for file in source.files()] == [
        "memory:///rollouts/a.jsonl",
        "memory:///rollouts/b.jsonl",
    ]


def test_a_parquet_of_another_filesystem(memory):
    with memory.open("/rollouts/a.parquet", "wb") as stream:
        pq.write_table(pa.table({"prompt": ["q", "q"], "response": ["x", "y"]}), stream)
    source = reader("memory://rollouts/a.parquet")
    assert len(source.load().problems) == 1
    assert pa.concat_tables(source.rows())["response"].to_pylist() == ["x", "y"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.jsonl", "there is no file"),
        ("*.arrow", "there is no file"),
        ("empty", "the folder .* has no .parquet or .jsonl"),
        ("texts", "the folder .* has no .parquet or .jsonl"),
        ("texts/a.txt", "a.txt is not .parquet or .jsonl"),
        ("texts/*", "a.txt is not .parquet or .jsonl"),
    ],
)
def test_a_path_without_data_says_what_is_wrong_and_where_to_set_it(folder, path, message):
    (folder / "empty").mkdir()
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_bytes(line("q"))
    with pytest.raises(UserError, match=message) as caught:
        find(f"{folder}/{path}")
    assert "data.path" in str(caught.value)


def test_one_missing_path_of_a_list_is_an_error(folder):
    with pytest.raises(UserError, match=r"missing\.jsonl"):
        find([f"{folder}/a.jsonl", f"{folder}/missing.jsonl"])


def test_a_file_s_stamp_changes_with_its_bytes(folder):
    before = find(str(folder))
    assert find(str(folder)) == before
    path = folder / "b.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1.0", b"0.0"))
    changed = [new.url for new, old in zip(find(str(folder)), before, strict=True) if new != old]
    assert changed == [str(path)]
