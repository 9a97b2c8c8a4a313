"""Two runs on the same problems: what has changed, and how much of it may be luck."""

import json
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from scipy.stats import false_discovery_control, fisher_exact, spearmanr, ttest_rel

from curriculum.compare.change import luck
from curriculum.compare.change.files import content, save
from curriculum.compare.change.luck import Counts
from curriculum.compare.change.runs import join
from curriculum.compare.change.show import show
from curriculum.compare.change.summary import change
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


def between(before, after):
    return change(join(before, after))


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
    found = between(*pair)
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
    joined = found.joined
    assert (joined.before.names, joined.after.names) == (NAMES, NAMES)
    assert joined.alone == (1, 1)
    assert joined.same_edges
    assert table["prompt"]["b"] == "the question of b\non two lines"


def test_the_mean_change_is_paired_and_never_surer_than_its_rollouts(pair, cut):
    whole = between(*pair).whole
    table = between(*pair).table
    student = ttest_rel(table["rate_after"], table["rate_before"]).confidence_interval(0.9)
    assert whole.change.mean == pytest.approx((0.3 - 0.4 + 0.5 - 0.5) / 6)
    assert whole.change[1:] == pytest.approx(tuple(student))

    same = {f"p{i}": (4, 4) for i in range(3)}
    before, after = cut("b", solved(**same)), cut("a", solved(**same))
    change = between(before, after).whole.change
    variance = 2 * 4.5 * 0.5 / (25 * 6) / 3  # of two posteriors Beta(4.5, .5), over 3 problems
    assert change.mean == 0
    assert change.high == pytest.approx(2.9200 * variance**0.5, rel=1e-4)  # Student's, 2 degrees


def test_who_changed_for_sure(pair):
    table = between(*pair).table
    tables = [
        [[row.c_before, row.n_before - row.c_before], [row.c_after, row.n_after - row.c_after]]
        for row in table.itertuples()
    ]
    exact = [fisher_exact(np.array(each)).pvalue for each in tables]
    assert table["p_value"].tolist() == pytest.approx(exact)
    assert table["changed"].tolist() == (false_discovery_control(exact) <= 0.1).tolist()


def test_luck_is_what_reshuffled_rollouts_do():
    """Every way to say which of a problem's rollouts are the first run's, counted one by one."""
    n, m, passes = 4, 3, 3
    counts = Counts(*(np.array([each]) for each in (n, 2, m, 1)))
    before = {n: np.array([3, 2, 1, 1, 0])}
    after = {m: np.array([3, 2, 1, 0])}
    rollouts = [1] * passes + [0] * (n + m - passes)
    steps = []
    for first in combinations(range(n + m), n):
        c = sum(rollouts[i] for i in first)
        steps.append(after[m][passes - c] - before[n][c])
    found = luck.moves(counts, before, after)
    assert found.easier.tolist() == pytest.approx([np.mean(np.array(steps) < 0)])
    assert found.harder.tolist() == pytest.approx([np.mean(np.array(steps) > 0)])


def test_luck_moves_as_many_as_move_of_a_model_that_has_not_changed(cut):
    """Also where one run has 4 rollouts of each problem, and the other 16."""
    rng = np.random.default_rng(0)
    rates = rng.beta(0.5, 0.5, 400)
    few = solved(**{f"p{i}": (rng.binomial(4, rate), 4) for i, rate in enumerate(rates)})
    many = solved(**{f"p{i}": (rng.binomial(16, rate), 16) for i, rate in enumerate(rates)})
    before = cut("few", few)
    found = between(before, cut("many", many, f"bucketer.edges={before}/buckets.json"))
    moved = found.whole.easier + found.whole.harder
    assert moved > 100
    assert found.whole.moved_by_luck.low <= moved <= found.whole.moved_by_luck.high
    assert found.again is False
    assert found.ranks_by_luck.low <= found.rank_correlation <= found.ranks_by_luck.high
    counts = found.table[["rate_before", "rate_after"]].to_numpy().T
    assert found.rank_correlation == pytest.approx(spearmanr(*counts).statistic)


def test_a_model_that_has_learned_is_to_be_measured_again(cut):
    rng = np.random.default_rng(0)
    rates = rng.beta(0.5, 0.5, 300)
    first = {f"p{i}": (rng.binomial(16, rate), 16) for i, rate in enumerate(rates)}
    better = {f"p{i}": (rng.binomial(16, rate**0.25), 16) for i, rate in enumerate(rates)}
    before = cut("first", solved(**first))
    found = between(before, cut("then", solved(**better)))
    assert found.again is True
    assert found.left.low > 0.1
    assert found.whole.change.low > 0
    hard = next(row for row in found.calibration if row.bucket == "hard")
    assert hard.found.low > hard.expected.high
    assert hard.stayed < 0.5


def test_where_passes_do_not_say_the_bucket_luck_is_not_told(cut, capsys):
    frame = BEFORE.assign(reward=BEFORE["reward"] * 0.6)  # all pass or fail, and mean_reward is .6
    before = cut("before", frame, "bucketer=mean_reward")
    after = cut("after", frame, "bucketer=mean_reward")
    found = between(before, after)
    assert found.whole.moved_by_luck is None
    assert found.again is None
    show(found)
    said = " ".join(capsys.readouterr().out.split())
    assert "What luck moves is not known" in said
    assert "Whether to measure again can't be said" in said


def test_the_page_says_what_the_terminal_says(pair, tmp_path, capsys):
    found = between(*pair)
    save(found, tmp_path / "change.html")
    show(found)
    html = (tmp_path / "change.html").read_text()
    assert "script-src &#39;none&#39;" in html
    for line in capsys.readouterr().out.splitlines():
        if line.startswith(("Mean pass rate 0", "4 moved", "Measure again", "No need")):
            assert line.replace("->", "-&gt;") in html
    assert "the question of d\non two lines" in html
    assert "<code>data.path</code>" in html
    assert not list(tmp_path.glob("*.tmp*"))


def test_each_source_has_its_own_numbers(cut):
    first = solved(a=(10, 10), b=(0, 10), c=(5, 10))
    first["data_source"] = first["problem_id"].map({"a": "math", "b": "math", "c": "code"})
    then = first.assign(reward=1.0)
    found = between(cut("first", first), cut("then", then))
    rows = {part.source: part for part in found.parts}
    assert list(rows) == ["all", "code", "math"]
    assert (rows["math"].problems, rows["math"].before, rows["math"].after) == (2, 0.5, 1)
    assert (rows["code"].easier, rows["code"].harder) == (1, 0)
    assert rows["code"].change.mean == 0.5


def test_texts_of_a_csv_are_no_formulas(cut, tmp_path):
    first = solved(a=(10, 10), b=(0, 10), c=(5, 10))
    first["problem_id"] = first["problem_id"].map({"a": "=1+1", "b": "@x", "c": "c"})
    found = between(cut("first", first), cut("then", first.assign(reward=1.0)))
    save(found, tmp_path / "change.csv")
    rows = pd.read_csv(tmp_path / "change.csv")
    assert sorted(rows["problem_id"]) == ["'=1+1", "'@x", "c"]
    numbers = found.table.select_dtypes("number")
    pd.testing.assert_frame_equal(rows[numbers.columns], numbers, check_dtype=False)


def test_files_in_every_form(pair, tmp_path):
    found = between(*pair)
    for ending in ("csv", "parquet", "tex", "json"):
        save(found, tmp_path / f"change.{ending}")
    rows = pd.read_csv(tmp_path / "change.csv")
    assert rows["p_value"].tolist() == pytest.approx(found.table["p_value"].tolist())
    assert pd.read_parquet(tmp_path / "change.parquet")["steps"].tolist() == rows["steps"].tolist()
    latex = (tmp_path / "change.tex").read_text()
    assert latex.startswith("\\begin{tabular}{l")
    assert "all & 6 & 0.567 & 0.550 & -0.017" in latex
    assert json.loads((tmp_path / "change.json").read_text()) == json.loads(
        json.dumps(content(found))
    )
    with pytest.raises(UserError, match=r"should end in one of \.parquet, \.csv"):
        save(found, tmp_path / "change.doc")


def test_what_is_shown(pair, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = Path("before"), Path("after")
    show(between(before, after))
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
    assert "Mean pass rate 0.567 -> 0.550: -0.017 (" in said
    assert "4 moved: 2 easier, 2 harder. Luck alone would move " in said
    assert "The edges differ" not in shown
    listed = shown.partition("Who moved most surely (4 of 4)")[2].splitlines()[2:]
    most = [line.split()[0] for line in listed]
    assert most == ["d", "f", "c", "b"]
    assert "the question of d on two lines" in shown


@pytest.mark.slow
def test_the_command_writes_a_row_a_problem(pair, tmp_path):
    done = compare(*pair, "--output", tmp_path / "moved.parquet")
    assert done.returncode == 0, done.stderr
    assert "4 moved: 2 easier, 2 harder" in done.stdout
    written = pd.read_parquet(tmp_path / "moved.parquet").set_index("problem_id")
    counts = ("n_before", "c_before", "n_after", "c_after")
    rates = ("rate_before", "rate_after", "p_value", "changed")
    assert list(written) == ["prompt", "data_source", "before", "after", "steps", *counts, *rates]
    assert written["steps"].to_dict() == {"a": 0, "b": -1, "c": 1, "d": -2, "e": 0, "f": 2}


def test_a_run_with_itself(pair, capsys):
    show(between(pair[0], pair[0]))
    shown = capsys.readouterr().out
    assert "0 moved: 0 easier, 0 harder" in shown
    assert "Who moved" not in shown


def test_other_names_have_no_direction(cut, capsys, tmp_path):
    before = cut("before", BEFORE)
    after = cut("after", AFTER, "bucketer.thresholds=[0.5]", "bucketer.names=[ja,nein]")
    found = between(before, after)
    assert found.joined.after.names == ["ja", "nein"]
    assert found.table["steps"].isna().all()
    assert not found.joined.same_edges
    show(found)
    shown = capsys.readouterr().out
    assert "none of these is a move to an easier or harder one" in shown
    table = crossed(shown, NAMES, ["ja", "nein"])
    assert table.to_dict("list") == {"ja": [1, 1, 0, 1], "nein": [1, 1, 1, 0]}
    assert f"bucketer.edges={before}/buckets.json applies those of the first run" in shown
    found.table.to_parquet(tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet")["steps"].isna().all()


def test_the_same_names_with_other_edges_are_told(cut, capsys):
    before = cut("before", BEFORE, "bucketer=percentile")
    after = cut("after", AFTER, "bucketer=percentile")
    show(between(before, after))
    assert "The edges differ" in capsys.readouterr().out
    edges = cut("edges", AFTER, "bucketer=percentile", f"bucketer.edges={before}/buckets.json")
    show(between(before, edges))
    assert "The edges differ" not in capsys.readouterr().out


def test_more_than_ten_are_counted(cut, capsys):
    before = cut("before", solved(**{f"p{i:02}": (0, 4) for i in range(14)}))
    after = cut("after", solved(**{f"p{i:02}": (4 if i < 7 else 2, 4) for i in range(14)}))
    show(between(before, after))
    shown = capsys.readouterr().out
    assert "Who moved most surely (10 of 14)" in shown
    named = [line.split()[0] for line in shown.splitlines() if line.startswith((" p0", " p1"))]
    assert len(named) == 10
    assert set(named) >= {f"p{i:02}" for i in range(7)}


def test_chats_and_brackets_are_shown_as_text(cut, capsys):
    frame = solved(**{"[red]x": (0, 4), "y": (4, 4)})
    chat = [{"role": "system", "content": "sys"}, {"role": "user", "content": "the [bold] one"}]
    frame["prompt"] = [chat] * len(frame)
    before = cut("before", frame)
    after = cut("after", frame.assign(reward=1 - frame["reward"]))
    show(between(before, after))
    shown = capsys.readouterr().out
    assert "[red]x" in shown
    assert shown.count("the [bold] one") == 2


def test_runs_without_a_problem_in_common(cut):
    before, after = cut("before", solved(a=(1, 4))), cut("after", solved(b=(1, 4)))
    with pytest.raises(UserError, match="share no problem"):
        between(before, after)


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
            between(*folders)


def test_a_store_that_is_gone_costs_the_prompts_only(pair, capsys):
    for folder in pair:
        path = folder / "result.json"
        content = json.loads(path.read_text())
        content["stages"]["problems"]["folder"] = str(folder / "gone")
        path.write_text(json.dumps(content))
    before, after = pair
    found = between(before, after)
    assert found.table["prompt"].isna().all()
    show(found)
    assert "4 moved: 2 easier, 2 harder" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_a_run_that_has_not_completed_is_named(pair, status):
    """Its buckets are there, but its result says that it failed, or there is none."""
    before, after = pair
    (after / "result.json").unlink()
    if status == "failed":
        (after / "result.json").write_text(json.dumps({"status": "failed", "stages": {}}))
    with pytest.raises(UserError, match=str(after)):
        between(before, after)


@pytest.mark.slow
def test_halves_of_the_same_rollouts_move_by_luck(cut, tmp_path):
    write(tmp_path / "demo")
    before = cut("before", tmp_path / "demo" / "first.parquet")
    after = cut(
        "after",
        tmp_path / "demo" / "second.parquet",
        f"bucketer.edges={before}/buckets.json",
    )
    found = between(before, after)
    table = found.table
    assert len(table) == 1008
    moved = table[table["before"] != table["after"]]
    assert len(moved) > 100
    # Both are draws of one rate: luck is all there is, and no problem is said to have changed.
    assert found.whole.moved_by_luck.low <= len(moved) <= found.whole.moved_by_luck.high
    assert found.changed == 0
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
    found = between(before, after)
    assert found.joined.same_edges
    assert found.joined.alone == (0, 0)

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

    done = compare(before, after)
    assert done.returncode == 0, done.stderr
    expected = pd.crosstab(table["before"], table["after"])
    expected = expected.reindex(index=NAMES, columns=NAMES, fill_value=0)
    assert (crossed(done.stdout).to_numpy() == expected.to_numpy()).all()
    moved = (steps != 0).sum()
    words = f"{moved} moved: {(steps < 0).sum()} easier, {(steps > 0).sum()} harder"
    assert words in done.stdout
