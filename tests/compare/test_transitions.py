"""Two runs' buckets side by side: who moved, and whether that may be luck."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from scipy.stats import beta

from curriculum.compare.transitions import show, transitions
from curriculum.config.conf import conf_dir
from curriculum.core.errors import UserError
from curriculum.demo.__main__ import write
from curriculum.run import pipeline
from curriculum.run.context import Context

NAMES = ["easy", "medium", "hard", "very_hard"]


def finished(composed, folder, rollouts, *overrides):
    """A run on rollouts, in this process: its folder."""
    folder.mkdir()
    if isinstance(rollouts, pd.DataFrame):
        path = folder.with_suffix(".parquet")
        rollouts.to_parquet(path)
        rollouts = path
    cfg = composed(
        "trainer=none",
        "data=rollouts",
        f"data.path={rollouts}",
        "bucketer=pass_rate",
        f"output_dir={folder}",
        f"store_dir={folder.parent}/store",
        *overrides,
    )
    values = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    choices = {"reward": "auto", "metric": "mean_reward", "bucketer": "any"}
    context = Context.of(values, folder, choices)
    pipeline.run(values, context)
    context.ledger.write()
    return folder


@pytest.fixture
def cut(composed, tmp_path):
    return lambda name, *arguments: finished(composed, tmp_path / name, *arguments)


def solved(**passes):
    """{problem: (passes, samples)} as rollouts."""
    return pd.DataFrame(
        [
            {
                "problem_id": name,
                "prompt": f"the question of {name}\non two lines",
                "response": "",
                "sample_idx": j,
                "reward": float(j < c),
            }
            for name, (c, n) in passes.items()
            for j in range(n)
        ]
    )


BEFORE = solved(a=(10, 10), b=(6, 10), c=(6, 10), d=(0, 10), e=(3, 10), f=(9, 10), gone=(5, 10))
AFTER = solved(a=(10, 10), b=(9, 10), c=(2, 10), d=(5, 10), e=(3, 10), f=(4, 10), new=(5, 10))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both runs, made once."""
    folder = tmp_path_factory.mktemp("transitions")

    def composed(*overrides):
        return compose("config", list(overrides))

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        finished(composed, folder / "before", BEFORE)
        finished(composed, folder / "after", AFTER)
    return folder


@pytest.fixture
def pair(made, tmp_path):
    """A copy of both runs, to read and to spoil."""
    names = "before", "after"
    return tuple(shutil.copytree(made / name, tmp_path / name) for name in names)


def compare(*arguments):
    command = [sys.executable, "-m", "curriculum.compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def crossed(text, before=NAMES, after=NAMES):
    """The numbers of the table of buckets before by buckets after."""
    lines = [line.split() for line in text.splitlines()]
    start = lines.index(after) + 1
    rows = lines[start : start + len(before)]
    assert [row[0] for row in rows] == before
    cells = [[0 if cell == "·" else int(cell.replace(",", "")) for cell in row[1:]] for row in rows]
    return pd.DataFrame(cells, index=before, columns=after)


@pytest.mark.slow
def test_who_moved_and_how_far(pair):
    found = transitions(*pair)
    table = found.table.set_index("problem_id")
    assert table["before"].to_dict() == {
        "a": "easy",
        "b": "medium",
        "c": "medium",
        "d": "very_hard",
        "e": "hard",
        "f": "easy",
    }
    assert table["after"].to_dict() == {
        "a": "easy",
        "b": "easy",
        "c": "hard",
        "d": "medium",
        "e": "hard",
        "f": "hard",
    }
    assert table["steps"].to_dict() == {"a": 0, "b": -1, "c": 1, "d": -2, "e": 0, "f": 2}
    assert table["rate_before"].tolist() == [1, 0.6, 0.6, 0, 0.3, 0.9]
    assert table["rate_after"].tolist() == [1, 0.9, 0.2, 0.5, 0.3, 0.4]
    assert found.names == (["easy", "medium", "hard", "very_hard"],) * 2
    assert found.alone == (1, 1)
    assert found.same_edges
    assert table["prompt"]["b"] == "the question of b\non two lines"


def test_apart_is_where_the_intervals_do_not_overlap(pair):
    table = transitions(*pair).table.set_index("problem_id")

    def interval(rate):
        return beta(0.5 + 10 * rate, 0.5 + 10 * (1 - rate)).ppf([0.05, 0.95])

    expected = {}
    for name, row in table.iterrows():
        (low, high), (low2, high2) = interval(row["rate_before"]), interval(row["rate_after"])
        expected[name] = bool(low2 > high or low > high2)
    assert table["apart"].to_dict() == expected
    assert set(expected.values()) == {True, False}


def test_what_is_shown(pair, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = Path("before"), Path("after")
    show(before, after, transitions(before, after))
    shown = capsys.readouterr().out
    assert "before -> after: 6 problems of both\n" in shown
    assert "1 problems are in before only\n" in shown
    assert "1 problems are in after only\n" in shown
    assert crossed(shown).to_numpy().tolist() == [
        [1, 0, 1, 0],
        [1, 0, 1, 0],
        [0, 0, 1, 0],
        [0, 1, 0, 0],
    ]
    said = " ".join(shown.split())
    assert "2 harder. That is a balance that luck alone gives (p = 1, sign test)." in said
    assert "For 2 of them by themselves the intervals of the pass rates do not overlap." in said
    assert "The edges differ" not in shown
    most = [
        line.split()[0] for line in shown.partition("Who moved most (4 of 4)")[2].splitlines()[2:]
    ]
    assert most == ["d", "f", "c", "b"]
    assert "the question of d on two lines" in shown


@pytest.mark.slow
def test_the_command_writes_a_row_a_problem(pair, tmp_path):
    done = compare(*pair, "--output", tmp_path / "moved.parquet")
    assert done.returncode == 0, done.stderr
    assert "4 moved: 2 easier, 2 harder" in done.stdout
    written = pd.read_parquet(tmp_path / "moved.parquet").set_index("problem_id")
    assert list(written) == [
        *("prompt", "before", "after", "steps", "rate_before", "rate_after", "apart")
    ]
    assert written["steps"].to_dict() == {"a": 0, "b": -1, "c": 1, "d": -2, "e": 0, "f": 2}
    assert written["apart"].sum() == 2


def test_a_run_with_itself(pair, capsys):
    show(pair[0], pair[0], transitions(pair[0], pair[0]))
    shown = capsys.readouterr().out
    assert "0 moved: 0 easier, 0 harder" in shown
    assert "Who moved most" not in shown


def test_other_names_have_no_direction(cut, capsys, tmp_path):
    before = cut("before", BEFORE)
    after = cut("after", AFTER, "bucketer.thresholds=[0.5]", "bucketer.names=[ja,nein]")
    found = transitions(before, after)
    assert found.names == (NAMES, ["ja", "nein"])
    assert found.table["steps"].isna().all()
    assert not found.same_edges
    show(before, after, found)
    shown = capsys.readouterr().out
    assert "easier" not in shown
    table = crossed(shown, NAMES, ["ja", "nein"])
    assert table.to_dict("list") == {"ja": [1, 1, 0, 1], "nein": [1, 1, 1, 0]}
    assert f"bucketer.edges={before}/buckets.json applies those of the first run" in shown
    found.table.to_parquet(tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet")["steps"].isna().all()


def test_the_same_names_with_other_edges_are_told(cut, capsys):
    before = cut("before", BEFORE, "bucketer=percentile")
    after = cut("after", AFTER, "bucketer=percentile")
    show(before, after, transitions(before, after))
    assert "The edges differ" in capsys.readouterr().out
    edges = cut("edges", AFTER, "bucketer=percentile", f"bucketer.edges={before}/buckets.json")
    show(before, edges, transitions(before, edges))
    assert "The edges differ" not in capsys.readouterr().out


def test_more_than_ten_are_counted(cut, capsys):
    before = cut("before", solved(**{f"p{i:02}": (0, 4) for i in range(14)}))
    after = cut("after", solved(**{f"p{i:02}": (4 if i < 7 else 2, 4) for i in range(14)}))
    show(before, after, transitions(before, after))
    shown = capsys.readouterr().out
    assert "Who moved most (10 of 14)" in shown
    named = [line.split()[0] for line in shown.splitlines() if line.startswith((" p0", " p1"))]
    assert len(named) == 10
    assert set(named) >= {f"p{i:02}" for i in range(7)}


def test_chats_and_brackets_are_shown_as_text(cut, capsys):
    frame = solved(**{"[red]x": (0, 4), "y": (4, 4)})
    chat = [{"role": "system", "content": "sys"}, {"role": "user", "content": "the [bold] one"}]
    frame["prompt"] = [chat] * len(frame)
    before = cut("before", frame)
    after = cut("after", frame.assign(reward=1 - frame["reward"]))
    show(before, after, transitions(before, after))
    shown = capsys.readouterr().out
    assert "[red]x" in shown
    assert shown.count("the [bold] one") == 2


def test_runs_without_a_problem_in_common(cut):
    before, after = cut("before", solved(a=(1, 4))), cut("after", solved(b=(1, 4)))
    with pytest.raises(UserError, match="share no problem"):
        transitions(before, after)


@pytest.mark.slow
def test_a_folder_that_is_no_run(pair, tmp_path):
    (tmp_path / "empty").mkdir()
    done = compare(pair[0], tmp_path / "empty")
    assert done.returncode == 1
    assert f"error: {tmp_path}/empty " in done.stderr
    assert "should be the folder of a" in done.stderr
    assert "Traceback" not in done.stderr
    for folders in ((tmp_path / "nowhere", pair[0]), (pair[0], pair[1] / "result.json")):
        with pytest.raises(UserError, match="should be the folder of a"):
            transitions(*folders)


def test_a_store_that_is_gone_costs_the_prompts_only(pair, capsys):
    for folder in pair:
        path = folder / "result.json"
        content = json.loads(path.read_text())
        content["stages"]["problems"]["folder"] = str(folder / "gone")
        path.write_text(json.dumps(content))
    before, after = pair
    found = transitions(before, after)
    assert found.table["prompt"].isna().all()
    show(before, after, found)
    assert "4 moved: 2 easier, 2 harder" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_a_run_that_has_not_completed_is_named(pair, status):
    """Its buckets are there, but its result says that it failed, or there is none."""
    before, after = pair
    (after / "result.json").unlink()
    if status == "failed":
        (after / "result.json").write_text(json.dumps({"status": "failed", "stages": {}}))
    with pytest.raises(UserError, match=str(after)):
        transitions(before, after)


@pytest.mark.slow
def test_halves_of_the_same_rollouts_move_by_luck(cut, tmp_path):
    write(tmp_path / "demo")
    before = cut("before", tmp_path / "demo" / "first.parquet")
    after = cut(
        "after",
        tmp_path / "demo" / "second.parquet",
        f"bucketer.edges={before}/buckets.json",
    )
    table = transitions(before, after).table
    assert len(table) == 1008
    moved = table[table["before"] != table["after"]]
    assert len(moved) > 100
    # Both are draws of one rate: rarely do two intervals of 90 % lie apart.
    assert table["apart"].mean() < 0.02
    towards = moved["steps"].astype(int)
    assert abs((towards > 0).sum() - (towards < 0).sum()) < 4 * len(moved) ** 0.5


@pytest.mark.slow
def test_two_ways_to_ask_the_same_model(cut, test_data):
    """Rollouts of GPT-4 with and without chain of thought, in the edges of the first."""
    frame = pd.read_parquet(test_data / "game24_tot" / "long.parquet")
    models = [frame[frame["model"] == f"gpt-4 {name} t=0.7"] for name in ("io", "cot")]
    io, cot = (each.drop(columns="model").reset_index(drop=True) for each in models)
    before = cut("io", io, "bucketer=percentile")
    after = cut("cot", cot, "bucketer=percentile", f"bucketer.edges={before}/buckets.json")
    found = transitions(before, after)
    assert found.same_edges
    assert found.alone == (0, 0)

    rates = [each.groupby("problem_id")["reward"].mean() for each in (io, cot)]
    table = found.table.set_index("problem_id").sort_index()
    assert len(table) == 100
    assert table["rate_before"].tolist() == pytest.approx(rates[0].sort_index().tolist())
    assert table["rate_after"].tolist() == pytest.approx(rates[1].sort_index().tolist())

    # Mean rewards that no two buckets share lie in the same bucket, before and after.
    of_rate = pd.Series(table["before"].to_numpy(), rates[0].sort_index().round(6))
    held = of_rate.groupby(level=0).agg(set)
    sure = {rate: names.pop() for rate, names in held.items() if len(names) == 1}
    after_rates = rates[1].sort_index().round(6)
    buckets = table["after"].to_dict()
    checked = [(buckets[name], sure[rate]) for name, rate in after_rates.items() if rate in sure]
    assert len(checked) >= 30
    assert all(found == expected for found, expected in checked)

    place = {name: i for i, name in enumerate(NAMES)}
    steps = table["after"].map(place) - table["before"].map(place)
    assert table["steps"].tolist() == steps.tolist()

    ends = []
    for each in (io, cot):
        group = each.groupby("problem_id")["reward"]
        c, n = (group.sum()).sort_index(), group.size().sort_index()
        posterior, one_sided = beta(c + 0.5, n - c + 0.5), (c == 0) | (c == n)
        tail = np.where(one_sided, 0.1, 0.05)
        low = np.where(c == 0, 0, posterior.ppf(tail))
        ends.append([low, np.where(c == n, 1, posterior.ppf(1 - tail))])
    (low, high), (low2, high2) = ends
    assert table["apart"].tolist() == ((low2 > high) | (low > high2)).tolist()
    assert 0 < table["apart"].sum() < 100

    done = compare(before, after)
    assert done.returncode == 0, done.stderr
    expected = pd.crosstab(table["before"], table["after"])
    expected = expected.reindex(index=NAMES, columns=NAMES, fill_value=0)
    assert (crossed(done.stdout).to_numpy() == expected.to_numpy()).all()
    moved = (steps != 0).sum()
    words = f"{moved} moved: {(steps < 0).sum()} easier, {(steps > 0).sum()} harder"
    assert words in done.stdout


@pytest.mark.parametrize(
    ("easier", "harder", "verdict"),
    [
        (12, 3, "more than luck as a whole (p = 0.035, sign test)"),  # 2 x P(X <= 3), 15 coins
        (11, 4, "a balance that luck alone gives (p = 0.12, sign test)"),
    ],
)
def test_a_balance_is_judged_by_the_sign_test(cut, capsys, tmp_path, easier, harder, verdict):
    moved = easier + harder
    for name, solved in (
        ("before", [0] * easier + [1] * harder),
        ("after", [1] * easier + [0] * harder),
    ):
        rows = [
            {"prompt": f"q{i}", "problem_id": f"p{i}", "response": "", "reward": float(solved[i])}
            for i in range(moved)
        ]
        pd.DataFrame(rows).to_parquet(tmp_path / f"{name}.parquet")
    edges = f"bucketer.edges={tmp_path}/a/buckets.json"
    before = cut(f"{tmp_path}/a", tmp_path / "before.parquet")
    after = cut(f"{tmp_path}/b", tmp_path / "after.parquet", edges)
    show(before, after, transitions(before, after))
    assert (
        f"{moved} moved: {easier} easier, {harder} harder. That is {verdict}"
        in capsys.readouterr().out
    )
