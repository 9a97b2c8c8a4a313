"""What a metric is called as an option and as a column is what docs/statistics.md says."""

import re

import pytest

from curriculum.config.build import build
from curriculum.config.conf import conf_dir
from curriculum.testing import make_rewards

PAGE = (conf_dir().parent / "docs" / "statistics.md").read_text()
ROW = re.compile(r"^\| `metric=(\S+)((?: \S+)*)` \| `(\S+)` \| .* \| ([\d.]+) \|$", re.M)
ROWS = ROW.findall(PAGE)


def test_the_page_has_every_option():
    assert {option for option, *_ in ROWS} == {
        path.stem for path in (conf_dir() / "metric").glob("*.yaml")
    }


@pytest.mark.parametrize(("option", "keys", "column", "value"), ROWS, ids=lambda each: each)
def test_option_column_and_number_are_as_on_the_page(composed_values, option, keys, column, value):
    metric = build(composed_values(f"metric={option}", *keys.split()), "metric")
    assert (metric.name or option) == column
    (found,) = metric(make_rewards([[0.2, 1, 0, 0.6]]))
    assert found == pytest.approx(float(value), abs=0.0005)


def test_a_column_typed_as_an_option_is_told_with_its_k(run):
    for option, keys, column, _ in ROWS:
        if column != option:
            assert f"did you mean metric={option}{keys}?\n" in run(f"metric={column}").stderr
