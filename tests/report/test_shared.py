"""The pages of a sweep: small, for they share the charts' script."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

pytestmark = pytest.mark.slow
LINK = re.compile(r'<script src="([^"]*)"></script>')
CHARTS = "return [...document.querySelectorAll('[data-chart]')].map((each) => each.textContent)"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, store) -> Path:
    """Jobs with a training each, in folders whose names a link must quote."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("a sweep")
    overrides = ("-m", "name=Two ways", "sampler=uniform,thompson", "bucketer=percentile")
    own = ("hydra.sweep.subdir='job #${hydra.job.num}'", f"store_dir={store}", "trainer.steps=150")
    command = [sys.executable, "run.py", *overrides, *own, f"output_dir='{folder}'"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def pages(sweep: Path) -> list[Path]:
    return sorted(sweep.glob("**/report.html"))


def test_jobs_are_small_and_share_one_script(sweep):
    assert [path.stat().st_size > 500_000 for path in sweep.rglob("*.js")] == [True]
    assert len(pages(sweep)) == 3
    for path in pages(sweep):
        html = path.read_text(encoding="utf-8")
        assert len(html.encode()) < 300_000
        links = LINK.findall(html)
        assert [(path.parent / unquote(link)).resolve() for link in links] == [sweep / "vega.js"]
        (policy,) = map(unescape, re.findall(r'Policy" content="([^"]+)"', html))
        assert re.fullmatch(
            r"default-src 'none'; script-src 'sha256-[^']+' 'self' file:; "
            r"style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
            policy,
        )


def test_jobs_of_long_responses_are_as_small(run, tmp_path):
    text = "So **we** have $\\frac{a_{%d}}{b} = \\sqrt{%d}$, é and more words than needed.\n\n" * 60
    rows = [
        {
            "prompt": text % ((i,) * 120),
            "responses": [text % ((j,) * 120) for j in range(8)],
            "rewards": [j % 2 for j in range(8)],
        }
        for i in range(60)
    ]
    (tmp_path / "long.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("-m", "data=rollouts", f"data.path={tmp_path}/long.jsonl", "bucketer=pass_rate,percentile")
    for path in pages(tmp_path / "out"):
        assert path.stat().st_size < 300_000


def test_a_sweep_has_its_name_too(sweep):
    html = (sweep / "report.html").read_text(encoding="utf-8")
    assert "<h1>Two ways</h1>\n<p>Sweep of 2 jobs</p>" in html
    assert all("<h1>Two ways</h1>" in path.read_text(encoding="utf-8") for path in pages(sweep))
    runs = json.loads((sweep / "comparison.json").read_text())["runs"]
    assert [run["choice"] for run in runs] == ["sampler=uniform", "sampler=thompson"]


def test_a_page_of_a_sweep_draws_and_asks_no_network(page, sweep):
    for path in pages(sweep):
        page.open(path)
        drawn = page.js(
            "return [...document.querySelectorAll('[data-chart]')].map("
            "(each) => each.querySelectorAll('.role-mark').length)"
        )
        assert drawn and all(drawn)
        assert page.complaints() == []
        asked = {each for each in page.requests() if not each.startswith("data:")}
        assert asked == {path.as_uri(), (sweep / "vega.js").as_uri()}


def test_a_job_copied_alone_says_what_its_charts_lack(page, sweep, tmp_path):
    job = pages(sweep)[0].parent
    shutil.copytree(job, tmp_path / "copied")
    page.open(tmp_path / "copied" / "report.html")
    assert all("No chart without ../vega.js" in text for text in page.js(CHARTS))
    assert page.texts("#buckets tbody td") and page.texts("#problems article")
    page.click("#problems article:nth-child(2) header button")  # the rest works
    page.js("document.getElementById('up').dispatchEvent(new Event('change'))")
    complaints = page.complaints()
    assert len(complaints) == 1 and "ERR_FILE_NOT_FOUND" in complaints[0]


def test_a_script_that_nobody_shared_does_not_run(page, sweep, tmp_path):
    """What the policy is for: a page that got markup from somewhere still runs none of it."""
    html = pages(sweep)[0].read_text(encoding="utf-8")
    odd = "<img src=x onerror='window.ran=1'><script>window.ran=2</script>"
    odd += "<script src='https://example.com/a.js'></script><a href='javascript:window.ran=3'>a</a>"
    (tmp_path / "report.html").write_text(html.replace("<main>", f"<main>{odd}"), encoding="utf-8")
    page.driver.get((tmp_path / "report.html").as_uri())
    page.click("main a")
    assert page.js("return typeof window.ran") == "undefined"
    refused = [each for each in page.complaints() if "Content Security Policy" in each]
    assert len(refused) == 5
