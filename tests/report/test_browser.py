"""The page in a browser: what a person can do with it, and what a hostile text can't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "<img src=x onerror='window.ran = 3'>",
    "<!--<script>",
    "{{ 7 * 7 }} ${7 * 7} \u2028 \u2029 ]]> &lt;b&gt;",
    "javascript:window.ran=4",
    "**[a](javascript:window.ran=7)** ![b](https://example.com/b.png) <https://example.com>",
    r"$\text{<img src=x onerror='window.ran=8'>}$ $\href{javascript:window.ran=9}{x}$ $\frac$",
    r"$\text{&lt;img src=x onerror='window.ran=10'&gt;}$ `<script>window.ran=11</script>`",
    "```html\n<script>window.ran = 12</script>\n```\n<style>*{display:none}</style> $\\frac12$\n",
)
MARKED = "window.ran = "


@pytest.fixture(scope="module")
def demo(tmp_path_factory, store) -> Path:
    """A run with a training, level-ups among it."""
    return _made(
        tmp_path_factory.mktemp("demo"),
        store,
        "bucketer=percentile",
        "sampler=reward_curriculum",
        "trainer.steps=60",
        "sampler.reward_threshold=0.2",
        "report.examples=300",
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, store) -> Path:
    """A run on data whose every text tries to be more than text."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        {
            "problem_id": f"{text} {i}",
            "prompt": [{"role": text, "content": f"{text} {i}"}] if i % 2 else f"{text} {i}",
            "responses": [text, text + " again", "plain"],
            "rewards": [1.0 * (i % 3 == 0), 1.0 * (i % 3 < 2), 0.0],
            "data_source": text,
            "ground_truth": text,
        }
        for i, text in enumerate(HOSTILE * 3)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = "bucketer.names=['<img src=y onerror=window.ran=5>','{{ 1 }}',__proto__]"
    data = ("data=rollouts", f"data.path={folder}/rows.jsonl")
    return _made(
        folder, store, *data, names, "bucketer=percentile", "bucketer.n=3", "trainer.steps=4"
    )


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, store) -> Path:
    """Two bucketers and three seeds of a curriculum, one job failing."""
    folder = tmp_path_factory.mktemp("sweep")
    arms = ("sampler=uniform,thompson", "seed=1,2", "trainer.steps=30")
    _made(folder / "arms", store, "-m", *arms)
    strategies = "bucketer=percentile,pass_rate,threshold"
    _made(folder / "buckets", store, "-m", strategies, "trainer=none", fails=True)
    return folder


def _made(folder: Path, store: Path, *arguments: str, fails: bool = False) -> Path:
    import subprocess
    import sys

    command = [sys.executable, "run.py", *arguments, f"output_dir={folder}", f"store_dir={store}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert bool(done.returncode) == fails, done.stderr
    return folder


def shown_ids(page) -> list[str]:
    return page.js(
        "return [...document.querySelectorAll('#problems article')].map(e => e.dataset.problem)"
    )


def choose(page, name: str) -> None:
    """As a chart does whose point is clicked."""
    chosen = "new CustomEvent('chosen-problem', {detail: arguments[0]})"
    page.js(f"document.dispatchEvent({chosen})", name)


def everything(page) -> Iterator[str]:
    """All the problems that the list comes to, page by page."""
    while page.js("return !document.getElementById('more').hidden"):
        page.click("#more")
    yield from shown_ids(page)


def test_it_opens_without_complaint_and_asks_nobody(page, demo):
    page.open(demo / "report.html")
    assert page.complaints() == []
    own = (demo / "report.html").as_uri()
    assert {each for each in page.requests() if not each.startswith("data:")} == {own}
    marks = page.js(
        "return Object.fromEntries([...document.querySelectorAll('[data-chart]')].map("
        "e => [e.dataset.chart, e.querySelectorAll('.role-mark path, .role-mark line').length]))"
    )
    assert marks["histogram"] > 17  # a bar a share of 16 rollouts, more where buckets meet
    assert marks["whiskers"] >= 240 and marks["points"] == 1008
    assert marks["bucket_mix"] >= 4 and marks["gradient"] >= 2 and marks["spent"] >= 4


def test_a_bucket_shows_its_problems_and_no_other(page, demo):
    problems = pd.read_parquet(demo / "problems.parquet").set_index("problem_id")
    page.open(demo / "report.html")
    page.click("#buckets tbody tr:nth-child(3) button")
    ids = list(everything(page))
    assert len(ids) == 75 and set(problems.loc[ids, "bucket"]) == {"hard"}
    page.click(".pills button[data-bucket='0']")
    assert set(problems.loc[shown_ids(page), "bucket"]) == {"easy"}
    page.click(".pills button[data-bucket='']")
    assert page.texts("#found") == ["300 of 300 examples"]


def test_a_bar_of_the_histogram_chooses_its_bucket(page, demo):
    problems = pd.read_parquet(demo / "problems.parquet").set_index("problem_id")
    page.open(demo / "report.html")
    page.click("[data-chart=histogram] .mark-rect path:nth-child(11)")  # 3 of 16, of hard ones
    page.wait("return document.querySelector('.pills [data-bucket=\"2\"]').ariaPressed === 'true'")
    assert set(problems.loc[shown_ids(page), "bucket"]) == {"hard"}


def test_search_source_and_order(page, demo):
    problems = pd.read_parquet(demo / "problems.parquet").set_index("problem_id")
    page.open(demo / "report.html")
    page.js(
        "const s = document.getElementById('source');"
        "s.value = [...s.options].find(o => o.text === 'reasoning_gym/gcd').value;"
        "s.dispatchEvent(new Event('change'))"
    )
    assert set(problems.loc[shown_ids(page), "data_source"]) == {"reasoning_gym/gcd"}
    page.js(
        "const o = document.getElementById('order'); o.value = '-1';"
        "o.dispatchEvent(new Event('change'))"
    )
    rates = problems.loc[list(everything(page)), "mean_reward"]
    assert rates.is_monotonic_increasing and rates.iloc[0] == 0
    wanted = problems.loc[shown_ids(page)[0]]
    page.type("#search", wanted.prompt.upper())
    assert wanted.name in shown_ids(page)
    assert all(wanted.prompt in text for text in page.texts("#problems article"))
    page.type("#search", "no such text anywhere")
    assert shown_ids(page) == [] and page.texts("#found") == ["0 of 300 examples"]


def test_a_link_opens_its_problem(page, demo):
    page.open(demo / "report.html")
    name = list(everything(page))[-1]
    page.open(demo / "report.html", f"#problem={name}")
    assert page.texts("#problem header code") == [name]
    page.click("#problem header button")
    assert page.js("return location.hash") == f"#problem={name}"
    page.open(demo / "report.html", "#problem=unheard-of")
    assert "Problem unheard-of is not among the examples" in page.texts("#problem")[0]


def test_a_point_opens_its_problem_and_selects_change_the_axes(page, demo):
    page.open(demo / "report.html")
    page.js(
        "const s = document.getElementById('up');"
        "s.value = [...s.options].find(o => o.text === 'difficulty_score').value;"
        "s.dispatchEvent(new Event('change'))"
    )
    titles = "return [...document.querySelectorAll('[data-chart=points] .role-axis-title text')]"
    page.wait(f"{titles}.some(e => e.textContent === 'difficulty_score')")
    page.js(
        "const points = document.querySelectorAll('[data-chart=points] .mark-symbol path');"
        "points[points.length - 1].dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    page.wait("return location.hash.startsWith('#problem=')")
    assert page.texts("#problem article")


def test_hostile_text_stays_text(page, hostile):
    page.open(hostile / "report.html")
    list(everything(page))
    seen = page.js("return document.body.innerText + document.body.textContent")
    for text in HOSTILE[:4]:
        assert text in seen
    assert page.js("return [typeof window.ran, document.images.length]") == ["undefined", 0]
    names = ["<img src=y onerror=window.ran=5>", "{{ 1 }}", "__proto__"]
    assert page.texts("#buckets tbody td:first-child") == names
    ids = set(shown_ids(page))
    assert ids == {f"{text} {i}" for i, text in enumerate(HOSTILE * 3)}
    for name in sorted(ids)[:4]:
        choose(page, name)
        page.wait("return document.querySelector('#problem header code') !== null")
        assert page.texts("#problem header code") == [name]
    tooltip = page.tooltip("[data-chart=points] .mark-symbol path")
    assert any(name in tooltip for name in ids)
    assert page.js("return [typeof window.ran, document.images.length]") == ["undefined", 0]
    assert page.complaints() == []
    own = (hostile / "report.html").as_uri()
    assert {each.partition("#")[0] for each in page.requests() if "data:" not in each} == {own}


def test_marked_text_becomes_elements_that_do_nothing(page, hostile):
    page.open(hostile / "report.html")
    list(everything(page))
    assert page.js(
        "return document.querySelectorAll('.rendered math mfrac, .rendered strong').length"
    )
    found = page.js(
        "const names = new Set(); const attributes = new Set();"
        "for (const each of document.querySelectorAll('.rendered *')) {"
        "  names.add(each.localName);"
        "  for (const one of each.attributes) attributes.add(one.name);"
        "} return [[...names], [...attributes]]"
    )
    assert not set(found[0]) & {"a", "img", "script", "style", "b", "iframe", "svg"}
    assert set(found[1]) <= {"display"}
    raw = page.texts(".raw pre")
    assert all(any(text in each for each in raw) for text in HOSTILE[6:])


def test_a_pass_and_a_failure_are_held_against_each_other(page, hostile):
    page.open(hostile / "report.html")
    name = f"{HOSTILE[1]} 3"[:-1] + "1"  # its second response passed, the first did not
    page.js(
        "document.dispatchEvent(new CustomEvent('chosen-problem', {detail: arguments[0]}))", name
    )
    page.wait("return document.querySelector('#problem .difference') !== null")
    (summary,) = page.texts("#problem .difference summary")
    assert (
        summary == "sample 1, which passed, and sample 0, which failed: what they say differently"
    )
    assert page.texts("#problem .difference pre ins") == ["again"]
    assert page.texts("#problem .difference pre span") == [HOSTILE[1] + " "]


def test_hostile_errors_stay_text(page, tmp_path, store):
    odd = "<img src=z onerror=window.ran=6>"
    _made(tmp_path, store, f"bucketer.names=['{odd}',b]", "trainer=none", fails=True)
    page.open(tmp_path / "report.html")
    assert odd in page.texts("pre.error")[0]
    assert page.js("return [typeof window.ran, document.images.length]") == ["undefined", 0]
    assert page.complaints() == []


def test_light_and_dark(page, demo):
    background = "return getComputedStyle(document.body).backgroundColor"
    text = "[data-chart=histogram] .role-axis-label text"
    label = f"return document.querySelector('{text}').getAttribute('fill')"
    page.open(demo / "report.html")
    light = page.js(background), page.js(label)
    page.prefer("dark")  # while it is open
    page.wait(f"{label} !== '{light[1]}'")
    dark = page.js(background), page.js(label)
    assert light[0] == "rgb(251, 251, 250)" and dark[0] == "rgb(18, 21, 27)"
    assert page.complaints() == []


@pytest.mark.parametrize("made", ["demo", "hostile", "sweep"])
def test_on_a_phone_nothing_is_wider_than_the_screen(page, made, request):
    folder = request.getfixturevalue(made)
    for path in folder.glob("**/report.html"):
        page.open(path, width=375)
        assert page.js("return document.documentElement.scrollWidth") == 375, path


def test_on_a_phone_a_wide_table_scrolls_beside_its_names(page, demo):
    page.open(demo / "report.html", width=375)
    page.js("document.querySelector('#buckets .wide').scrollLeft = 1000")
    left = page.js(
        "const left = (selector) => document.querySelector(selector).getBoundingClientRect().left;"
        "return ['.wide', 'td', 'td + td'].map((each) => left(`#buckets ${each}`))"
    )
    assert left[0] == left[1] and left[2] < 0


def test_a_sweep_shows_its_jobs_and_how_they_agree(page, sweep):
    content = json.loads((sweep / "buckets" / "comparison.json").read_text())
    page.open(sweep / "buckets" / "report.html")
    rows = page.texts("#jobs tbody tr")
    assert [run["choice"] in row for run, row in zip(content["runs"], rows, strict=True)] == [
        True
    ] * 3
    assert "2 of 3 jobs completed" in page.texts("header")[0]
    assert "bucketer.thresholds is required" in rows[2]
    index = f"{content['adjusted_rand_index'][0]['index']:.2f}"
    assert page.texts("#agreement .heat td") == ["", index, index, ""]
    bars = "document.querySelectorAll('[data-chart=sizes] .mark-rule.role-mark line')"
    assert page.js(f"return {bars}.length") == 8
    assert page.complaints() == []
    page.click("#jobs tbody tr:nth-child(3) a")
    page.wait("return document.title === 'This run failed'")


def test_a_sweep_compares_curricula(page, sweep):
    content = json.loads((sweep / "arms" / "comparison.json").read_text())
    (found,) = content["curricula"]
    page.open(sweep / "arms" / "report.html")
    assert page.texts(".verdict-text") == [found["verdict"]]
    cells = [row.split("\n") for row in page.texts(".setting tbody tr")]
    told = [[cell.strip() for cell in row if cell.strip()] for row in cells]
    for row, arm in zip(told, found["arms"], strict=True):
        assert row[:3] == [
            arm["arm"] + (" (control)" if arm["control"] else ""),
            str(arm["seeds"]),
            f"{arm['groups_with_gradient']:.0%}",
        ]
    assert "Simulated." in page.texts(".warning")[0]
    assert page.complaints() == []


def test_level_ups_are_named_where_they_happen(page, demo):
    lines = (demo / "events.jsonl").read_text().splitlines()
    events = [each for each in map(json.loads, lines) if each["event"] == "level_up"]
    assert events
    page.open(demo / "report.html")
    labels = page.texts("[data-chart=bucket_mix] .mark-text.role-mark text")
    assert labels == [str(each["level"]) for each in events]
    rows = page.texts("#training tbody tr")
    for row, event in zip(rows, events, strict=True):
        assert str(event["step"]) in row and f"{event['reward']:.3f}" in row
