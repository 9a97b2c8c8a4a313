"""Tables in Markdown."""

from curriculum.compare.markdown import table_of


def test_a_table_has_every_key_and_no_cell_breaks_it():
    rows: list[dict[str, object]] = [
        {"arm": "uniform", "gain": 0.12345, "seeds": 3, "control": True},
        {"arm": "a|b\nc", "gain": None, "seeds": 12, "until": "not reached"},
    ]
    assert table_of(rows).splitlines() == [
        "| arm | gain | seeds | control | until |",
        "| --- | ---: | ---: | --- | --- |",
        "| uniform | 0.123 | 3 | True |  |",
        r"| a\|b c |  | 12 |  | not reached |",
    ]
