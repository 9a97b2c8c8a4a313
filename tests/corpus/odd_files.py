"""Files as they should not be, each made by a function of a folder."""

import gzip
import io
import json
import os
import random
import zipfile

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

ROWS = [
    {"prompt": f"q{i}", "response": f"r{j}", "reward": float(j % 2)}
    for i in range(3)
    for j in range(2)
]
TABLE = pa.Table.from_pylist(ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()

# JSON of one field of a row, beside rows that can be used.
VALUES = [
    *("null", "true", "-1", "1.5", "1e308", "-1e308", "1e999", "NaN", "-Infinity"),
    *("18446744073709551616", "9223372036854775808", "1" + "0" * 400, "1" + "0" * 5000),
    *('""', '"x"', '"NaN"', '"1e400"', '"\\u0000"', '"\\ud83d"', '"7/8"'),
    *("[]", "[1]", "[[]]", "[null]", '["x", "y"]', "{}", '{"a": 1}', '{"": 1}'),
    *('{"score": null}', '{"score": 18446744073709551616}', '[{"score": 1e308}]'),
    *('[{"role": "user", "content": "x"}]', '[{"role": 1}]', '[{"role": "assistant"}]'),
    *("[" * 60 + "]" * 60, '{"a":' * 60 + "1" + "}" * 60),
]
FIELDS = [
    *("problem_id", "prompt", "response", "responses", "reward", "rewards", "score"),
    *("data_idx", "sample_idx", "step", "data_source", "ground_truth", "extra_info"),
    *("finish_reason", "error", "reward_model", "messages", "n", "passes", "input", "output"),
]


def parquet(table):
    return written(lambda stream: pq.write_table(table, stream))


def arrow(table, make=pa.ipc.new_file):
    def write(stream):
        with make(stream, table.schema) as writer:
            writer.write_table(table)

    return written(write)


def zipped(**members):
    def write(stream):
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("_", "."), content)

    return written(write)


def written(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


WHOLE = {
    "a.jsonl": LINES,
    "a.json": json.dumps(ROWS).encode(),
    "a.jsonl.gz": gzip.compress(LINES, mtime=0),
    "a.jsonl.zst": pa.Codec("zstd").compress(LINES, asbytes=True),
    "a.zip": zipped(a_jsonl=LINES),
    "a.parquet": parquet(TABLE),
    "a.arrow": arrow(TABLE),
    "b.arrow": arrow(TABLE, pa.ipc.new_stream),
    "a.csv": written(lambda stream: pyarrow.csv.write_csv(TABLE, stream)),
}


def twice(name):
    """The table with a column that stands twice."""
    columns = [*TABLE.columns, TABLE[name]]
    return pa.Table.from_arrays(columns, names=[*TABLE.column_names, name])


def instead(**columns):
    return pa.table({**dict(zip(TABLE.column_names, TABLE.columns, strict=True)), **columns})


COUNT = len(ROWS)
BAD_UTF8 = pa.Array.from_buffers(pa.string(), COUNT, pa.array([b"\xff"] * COUNT).buffers())
NAN = pa.array([float("nan")] * COUNT)
NESTED = b'[{"prompt": %s1%s, "response": "x", "reward": 1}]'

CONTENTS = {
    **{
        f"{what} {name}": (name, content)
        for name in [*WHOLE, "a.eval"]
        for what, content in {
            "empty": b"",
            "text": b"hello\nworld\n",
            "zeros": b"\0" * 500,
            "no UTF-8": b"\xff\xfe\xfa" * 30,
            "UTF-16": LINES.decode().encode("utf-16"),
            "BOM": b"\xef\xbb\xbf" + LINES,
        }.items()
    },
    **{
        f"{part} of {name}": (name, content[: int(len(content) * part)])
        for name, content in WHOLE.items()
        for part in (0.1, 0.5, 0.9, 0.99)
    },
    **{f"whole {name}": (name, content) for name, content in WHOLE.items()},
    "CRLF": ("a.jsonl", LINES.replace(b"\n", b"\r\n")),
    "CR alone": ("a.jsonl", LINES.replace(b"\n", b"\r")),
    "a key twice": ("a.jsonl", b'{"prompt": "a", "prompt": "b", "response": "x", "reward": 1}'),
    "half a pair as key": ("a.jsonl", b'{"\\ud83d": 1, "prompt": "a", "reward": 1}\n' + LINES),
    "half a pair in an array": ("a.json", b'[{"prompt": "\\ud83d", "reward": 1}]'),
    "half a pair in a zip": ("a.zip", zipped(a_jsonl=b'{"prompt": "\\ud83d", "reward": 1}')),
    "deep line": ("a.jsonl", b"[" * 100_000),
    "deep array": ("a.json", NESTED % (b"[" * 900, b"]" * 900)),
    "deep zip": ("a.zip", zipped(a_jsonl=b"[" * 100_000)),
    "bomb gz": ("a.jsonl.gz", gzip.compress(b"0" * 20_000_000)),
    "bomb zip": ("a.zip", zipped(a_jsonl=b"0" * 20_000_000)),
    "zip of parquet": ("a.zip", zipped(a_parquet=WHOLE["a.parquet"])),
    "zip of nothing": ("a.zip", zipped()),
    "csv column twice": ("a.csv", b"prompt,prompt,response\na,b,c\n"),
    "csv quote open": ("a.csv", b'prompt,response,reward\na,"b,1\n'),
    "csv cells over": ("a.csv", b"prompt,response,reward\na,b,1,2\na,b,1\n"),
    "csv digits": ("a.csv", b"prompt,response,reward,step\na,b,1," + b"9" * 5000 + b"\n"),
    "csv NUL": ("a.csv", b"prompt,response,reward\na\0,b,1\n"),
    **{
        f"{name} twice {file}": (file, write(twice(name)))
        for name in TABLE.column_names
        for file, write in (("a.parquet", parquet), ("a.arrow", arrow))
    },
    **{
        f"{name} of {what}": ("a.parquet", parquet(instead(**{name: column})))
        for name in ("prompt", "response", "reward", "problem_id", "data_idx", "step")
        for what, column in {
            "bad UTF-8": BAD_UTF8,
            "NaN": NAN,
            "u64": pa.array([2**63 + 5] * COUNT, pa.uint64()),
            "bytes": pa.array([b"\xff"] * COUNT),
            "nulls": pa.nulls(COUNT),
            "lists": pa.array([[1, 2]] * COUNT),
            "maps": pa.array([[("a", 1)]] * COUNT, pa.map_(pa.string(), pa.int64())),
            "times": pa.array([2**62] * COUNT, pa.timestamp("us")),
        }.items()
    },
}


def flipped(content, seed):
    """Some bytes of it are others."""
    rng, changed = random.Random(seed), bytearray(content)
    for _ in range(1 + seed % 4):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def folder(path):
    path.mkdir()
    return path


def link(path, target):
    path.symlink_to(target)
    return path


def pipe(path):
    os.mkfifo(path)
    return path


def beside(path):
    """The folder of a path, with a good file beside it."""
    (path.parent / "good.jsonl").write_bytes(LINES)
    return path.parent


PLACES = {
    "folder called b.jsonl": lambda at: folder(at / "b.jsonl"),
    "folder among files": lambda at: beside(folder(at / "b.jsonl")),
    "pipe": lambda at: pipe(at / "a.jsonl"),
    "pipe parquet": lambda at: pipe(at / "a.parquet"),
    "pipe among files": lambda at: beside(pipe(at / "a.jsonl")),
    "/dev/zero": lambda at: "/dev/zero",
    "/dev/zero linked": lambda at: link(at / "a.jsonl", "/dev/zero"),
    "/dev/zero as parquet": lambda at: link(at / "a.parquet", "/dev/zero"),
    "/dev/null linked": lambda at: link(at / "a.jsonl", "/dev/null"),
    "circle": lambda at: link(at / "a.jsonl", "a.jsonl"),
    "circle among files": lambda at: beside(link(at / "a.jsonl", "a.jsonl")),
    "link to nothing": lambda at: link(at / "a.jsonl", "nothing.jsonl"),
    "link to nothing among files": lambda at: beside(link(at / "a.jsonl", "nothing.jsonl")),
    "missing": lambda at: at / "no.jsonl",
    "glob of nothing": lambda at: at / "*.jsonl",
    "half a pattern": lambda at: at / "[.jsonl",
    "300 characters": lambda at: at / ("x" * 300 + ".jsonl"),
    "NUL": lambda at: at / "a\0b.jsonl",
    "line break": lambda at: at / "a\nb.jsonl",
    "empty": lambda at: "",
    "no path": lambda at: [],
    "an empty path": lambda at: [""],
    "empty folder": lambda at: folder(at / "empty"),
    "below a file": lambda at: beside(at / "x") / "good.jsonl" / "a.jsonl",
    "protocol unknown": lambda at: "nope://a.jsonl",
    "no server": lambda at: "http://127.0.0.1:9/a.jsonl",
    "no zip": lambda at: f"zip://a.jsonl::{at}/no.zip",
    "no memory": lambda at: "memory://a.jsonl",
    "half of data:": lambda at: "data:,a.jsonl",
    "wrong suffix": lambda at: "/etc/hostname",
}
