"""Tables say the whole of every name, however narrow the terminal is."""

import pytest

from curriculum.core.terminal import console, plain_table

LONG = "org/a-data-source-with-a-name-that-goes-on-and-on-for-its"
NAMES = [f"{LONG}-training-split", f"{LONG}-validation-split", "short"]


@pytest.fixture
def printed(monkeypatch, capsys):
    """Lines of a table in a terminal of some width; None: in a pipe that nobody gave one."""

    def printed(table, width):
        monkeypatch.delenv("COLUMNS", raising=False)
        if width is not None:
            monkeypatch.setenv("COLUMNS", str(width))
        console().print(table)
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= (width or 110)
        return [line.rstrip() for line in lines]

    return printed


def sources():
    table = plain_table("Sources", "source")
    for name in ("problems", "mean pass rate", "not_so_very_easy", "rather_more_difficult"):
        table.add_column(name, justify="right")
    for i, name in enumerate(NAMES):
        table.add_row(name, f"{1008 + i:,}", "0.54", "12", "·")
    return table


def buckets():
    table = plain_table("Buckets", "bucket")
    table.add_column("mean pass rate", justify="right")
    table.add_bars()
    table.add_row("not_so_very_easy", "0.93", "█" * 32)
    return table


def test_a_row_too_wide_is_a_paragraph_under_its_whole_name(printed):
    lines = printed(sources(), 80)
    assert [line for line in lines if not line.startswith(" ")] == ["Sources", *NAMES]
    assert lines[2:4] == [
        "   problems 1,008   mean pass rate 0.54   not_so_very_easy 12",
        "   rather_more_difficult ·",
    ]


def test_where_two_lines_of_a_name_make_room_it_stays_a_table(printed):
    lines = printed(sources(), None)  # 110, in a pipe that nobody gave a width
    rows = [at for at, line in enumerate(lines) if line.endswith("·")]
    names, *numbers = zip(*(lines[at].split() for at in rows), strict=True)
    assert numbers == [("1,008", "1,009", "1,010"), ("0.54",) * 3, ("12",) * 3, ("·",) * 3]
    assert [names[i] + lines[rows[i] + 1].strip() for i in (0, 1)] == NAMES[:2]
    assert names[2] == NAMES[2]


def test_names_longer_than_a_line_go_on_in_the_next(printed):
    lines = printed(sources(), 40)
    assert "".join(lines[1:3]) == NAMES[0]
    assert not any("…" in line for line in lines)


def test_headers_give_way_before_bars_and_bars_before_rows(printed):
    header = " bucket            mean pass rate"
    row = " not_so_very_easy            0.93"
    bars = "  " + "█" * 32
    assert printed(buckets(), 80) == ["Buckets", header, f"{row}{bars}"]
    wrapped = [f"{'mean pass':>28}", f" bucket{'rate':>21}", f" not_so_very_easy{'0.93':>11}{bars}"]
    assert printed(buckets(), 63) == ["Buckets", *wrapped]
    assert printed(buckets(), 40) == ["Buckets", header, row]
    assert printed(buckets(), 20) == ["Buckets", "not_so_very_easy", "   mean pass rate", "   0.93"]


def test_of_two_columns_the_one_with_words_to_wrap_gives_way(printed):
    table = plain_table(None, "job", "choice", "buckets")
    table.add_row("0", "sampler.source_weights=[a_weight_for_each]", "easy 252, medium 252, hard 4")
    assert printed(table, 62) == [
        " job  choice                                      buckets",
        " 0    sampler.source_weights=[a_weight_for_each]  easy 252,",
        "                                                  medium 252,",
        "                                                  hard 4",
    ]
