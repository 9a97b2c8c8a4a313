"""How often each problem was solved, without the rollouts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

from curriculum.formats.forms.base import Form
from curriculum.formats.names import NUMBERS, PASSES, RATES, RESPONSES, REWARDS, Row, first

OF = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")  # 7/8
MOST = 1 << 16  # rollouts of a problem


class Counts(Form):
    """A row a problem: `7/8`, or passes `c` of `n`, or a `pass_rate` with `n`.

    Each becomes as many rollouts without text, of which so many have the reward 1.
    """

    name: ClassVar = "counts"
    plain: ClassVar = True
    rollouts_alone: ClassVar = True
    took: ClassVar = {
        role: " or ".join(names)
        for role, names in (("pass_rate", RATES), ("passes", PASSES), ("n", NUMBERS))
    }

    def matches(self, row: Row) -> bool:
        """See `Form`."""
        if any(row.get(name) is not None for name in (*RESPONSES, *REWARDS)):
            return False
        return _fraction(row) is not None or (
            first(row, NUMBERS) is not None and first(row, (*PASSES, "pass_rate")) is not None
        )

    def read(self, row: Row, url: str) -> Row:
        """See `Form`."""
        passes, n = _fraction(row) or _counted(row)
        if not 0 < n <= MOST or not 0 <= passes <= n:
            hint = " (a pass_rate is a share, 0.5 and not 50)" if passes > n else ""
            raise ValueError(f"{passes} passes of {n} rollouts{hint}")
        others = {
            name: value
            for name, value in row.items()
            if name not in (*PASSES, *NUMBERS, "pass_rate") and value is not None
        }
        rewards = [1.0] * passes + [0.0] * (n - passes)
        return {**others, "responses": [None] * n, "rewards": rewards}


def _fraction(row: Row) -> tuple[int, int] | None:
    texts = (row.get(name) for name in RATES)
    found = next((OF.fullmatch(text) for text in texts if isinstance(text, str)), None)
    return (int(found[1]), int(found[2])) if found else None


def _counted(row: Row) -> tuple[int, int]:
    n, passes = _whole(_said(row, NUMBERS)), _said(row, PASSES)
    if passes is not None:
        return _whole(passes), n
    rate = float(row["pass_rate"])
    count = round(rate * n)
    # A rate that was rounded is as good.
    if n and Decimal(repr(count / n)).quantize(Decimal(repr(rate))) != Decimal(repr(rate)):
        raise ValueError(f"pass_rate={rate} is that of no whole number of {n} rollouts")
    return count, n


def _whole(value: Any) -> int:
    if value is None or isinstance(value, bool) or float(value) != int(float(value)):
        raise ValueError(f"no whole number of rollouts or passes: {value!r}")
    return int(float(value))


def _said(row: Row, names: tuple[str, ...]) -> Any:
    name = first(row, names)
    return None if name is None else row[name]
