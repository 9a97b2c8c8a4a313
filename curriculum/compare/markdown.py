"""Tables in Markdown, as GitHub reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def table_of(rows: Sequence[Mapping[str, object]]) -> str:
    """A column for each key that any of the rows has, numbers on the right, three decimals."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [[row.get(name) for row in rows] for name in names]
    rulers = ["---:" if _are_numbers(column) else "---" for column in columns]
    cells = [[_cell(value) for value in column] for column in columns]
    lines = [names, rulers, *zip(*cells, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _are_numbers(column: Sequence[object]) -> bool:
    known = [value for value in column if value is not None]
    return bool(known) and {type(value) for value in known} <= {int, float}


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return " ".join(text.replace("|", r"\|").split())
