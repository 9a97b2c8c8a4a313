"""What comes from outside is shown, and steers nothing."""

import io
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curriculum.core.terminal import console, plain_table
from curriculum.core.text import Formatter, in_a_line, visible

STEERING = "\x1b[2J\x9b\r\x07\u202eevil\u2066"


def steers(text: str) -> bool:
    return any((ord(each) < 32 and each != "\n") or each in "\x7f\x9b\u202e\u2066" for each in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202eb\u2067", "aU+202EbU+2067"),
        ("\x9b1A\r\x7f\x00", r"\x9b1A\x0d\x7f\x00"),
        ("two\nlines\tand ü, 数, 🎉", "two\nlines\tand ü, 数, 🎉"),
    ],
)
def test_what_steers_a_terminal_is_shown(text, shown):
    assert visible(text) == shown
    assert in_a_line("a\nb\tc") == r"a\x0ab\x09c"


def test_tables_prints_and_logs_show_it(capsys):
    table = plain_table("t", "name")
    table.add_row(STEERING)
    out = console()
    out.print(table)
    out.print(STEERING)
    printed = capsys.readouterr().out
    assert printed.count(r"\x1b[2J") == 2
    assert not steers(printed)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter())
    try:
        raise ValueError(STEERING)
    except ValueError as error:
        record = ("name", logging.ERROR, "", 0, STEERING, (), (ValueError, error, None))
        handler.emit(logging.LogRecord(*record))
    assert stream.getvalue().count("U+202E") == 2
    assert not steers(stream.getvalue())


def test_a_run_on_such_data(run, tmp_path):
    rows = [
        {"prompt": f"{STEERING}{i}", "response": STEERING, "data_source": f"s{STEERING}"}
        | {"score": float(i % 2), "data_idx": i, "sample_idx": 0}
        for i in range(6)
    ]
    file = tmp_path / f"rows{STEERING}.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    done = run(
        *("data=rollouts", f"data.path={tmp_path}", "convention=analyze_rollouts"),
        *("bucketer=percentile", "bucketer.n=2", "bucketer.names=[easy,hard]"),
    )
    assert done.returncode == 0, done.stderr
    assert not steers(done.stdout + done.stderr)
    left = sorted((tmp_path / "out").rglob("*"))
    assert not any(steers(path.name) for path in left)
    assert "rollouts_hard.parquet" in {path.name for path in left}
    assert not steers((tmp_path / "out" / "run.log").read_text())
