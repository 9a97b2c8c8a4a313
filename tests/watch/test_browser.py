"""The live page in a browser: it changes as files do, and no text in them runs."""

import logging

import pytest

from curriculum.core.prompts import Event

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>window.ran = 1</script>",
    "</pre></section><script>window.ran = 2</script>",
    "<img src=x onerror='window.ran = 3'>",
    "{{ 7 * 7 }} &lt;b&gt; javascript:window.ran=4",
)
DRAWN = """
const places = [...document.querySelectorAll("[data-chart]:not(.coming)")];
return places.every((place) => place.querySelector("svg")) && places.length;
"""


def train(run, steps) -> None:
    for step in steps:
        run.train(step, reward=step / 100)
        run.journal.step(step, {"mean_pass_rate": step / 50})
    run.save(steps[-1])


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (375, "light")])
def test_a_training_is_drawn_as_it_goes(page, visit, begin, width, scheme):
    with begin() as run:
        url = visit(run.folder).server.url
        for text in HOSTILE:
            values = {"level": text, "threshold": 0.5, "reward": 0.5, "source": text}
            run.journal.event(2, Event("level_up", text, values))
            logging.getLogger(text).warning("%s said", text)
        page.prefer(scheme)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        page.driver.get("about:blank")
        page.complaints(), page.requests()  # of what the browser itself had open
        page.driver.get(url)
        page.wait("return document.documentElement.dataset.drawn === 'yes'")
        assert page.js(DRAWN) == 0
        train(run, range(1, 7))
        page.wait("return document.querySelectorAll('[data-chart] svg').length === 3")
        assert page.js("return document.documentElement.scrollWidth") <= width
        before = page.js("return document.querySelector('[data-chart=learning] svg').outerHTML")
        train(run, range(7, 13))
        changed = "return document.querySelector('[data-chart=learning] svg').outerHTML !== "
        while not page.js(f"{changed} arguments[0]", before):
            assert page.js(DRAWN) == 3  # none is ever empty
        assert "step 12" in page.texts(".tiles dt")[0]
        said = "\n".join(page.texts("#events pre") + page.texts("#log pre"))
        assert all(text in said for text in HOSTILE)
        assert page.js("return window.ran === undefined")
        assert page.complaints() == []
        elsewhere = [each for each in page.requests() if not each.startswith((url, "data:"))]
        assert elsewhere == []


def test_the_page_of_a_run_takes_its_place_when_that_is_there(page, visit, begin, finished):
    with begin() as run:
        page.driver.get(visit(run.folder).server.url)
        page.wait("return document.documentElement.dataset.drawn === 'yes'")
        assert page.texts(".status") == ["running"]
    for name in ("result.json", "report.html"):
        (run.folder / name).write_bytes((finished / name).read_bytes())
    page.wait("return location.pathname.endsWith('/report.html')")
    page.wait("return document.documentElement.dataset.drawn === 'yes'")
    assert page.texts("h1") == page.texts("title") and page.complaints() == []
