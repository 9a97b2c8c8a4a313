"""What a run says of each data source."""

import json
import re

import pytest

from curriculum.bucketers import Percentile
from curriculum.core.sources import source_statistics
from curriculum.core.summary import show_summary
from curriculum.data import Rollouts
from curriculum.testing.measured import make_measured


@pytest.fixture
def measured(tmp_path):
    """Some problems with their source and rewards, measured and in two buckets."""

    def measured(problems):
        rows = [
            {"prompt": f"q {i}", "data_source": source, "responses": ["r"] * 4, "rewards": rewards}
            for i, (source, rewards) in enumerate(problems)
        ]
        path = tmp_path / "rollouts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return make_measured(Rollouts(str(path)), Percentile(2))

    return measured


def test_means_are_of_each_source_s_own_problems(measured):
    problems = [("math", [1, 1, 1, 0]), ("code", [0, 0, 0, 0]), ("math", [0.5, 0, 0, 0.5])]
    outcome = measured(problems)
    found = source_statistics(outcome)
    assert list(found) == ["math", "code"]
    of_math = {"count": 2, "mean_reward": (0.75 + 0.25) / 2, "mean_pass_rate": (0.75 + 0.5) / 2}
    gradient = outcome.metrics["groups_with_gradient"]
    assert found["math"] == pytest.approx(
        {**of_math, "groups_with_gradient": (gradient[0] + gradient[2]) / 2}
    )
    assert found["code"] == pytest.approx(
        {"count": 1, "mean_reward": 0, "mean_pass_rate": 0, "groups_with_gradient": gradient[1]}
    )


def test_a_terminal_has_some_of_many_and_says_where_all_are(measured, capsys):
    few = [(f"s{i}", [1, 0, 0, 0]) for i in range(300)]
    outcome = measured([*few, ("s299", [1, 1, 0, 0])])
    show_summary(outcome, [])
    shown = capsys.readouterr().out
    rows = re.findall(r"^ (s\d+) +(\d+) +(0\.\d\d) +\d+ % ", shown, re.MULTILINE)
    assert rows[:2] == [("s299", "2", "0.38"), ("s0", "1", "0.25")]
    assert len(rows) == 12
    assert "\n and 288 sources with fewer problems: result.json, sources\n" in shown
    assert sum(each["count"] for each in source_statistics(outcome).values()) == 301
    assert len(source_statistics(outcome)) == 300
