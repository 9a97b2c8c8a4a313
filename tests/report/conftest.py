"""The page as a person sees it: in a browser without a window, with no network to ask."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Page:
    """One page, opened anew by `open`."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(
        self, path: Path, fragment: str = "", width: int = 1280, scheme: str = "light"
    ) -> Page:
        """Open a file and wait until its charts are drawn."""
        self.driver.get("about:blank")  # a change of the fragment alone would load nothing
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.prefer(scheme)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(path.resolve().as_uri() + fragment)
        self.wait("return document.readyState === 'complete'")
        if self.js("return document.querySelectorAll('[data-chart]').length"):
            self.wait("return document.documentElement.dataset.drawn === 'yes'")
        return self

    def prefer(self, scheme: str) -> None:
        """What the reader's system asks for: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def js(self, code: str, *arguments: Any) -> Any:
        """What a function body returns on the page."""
        return self.driver.execute_script(code, *arguments)

    def wait(self, code: str, seconds: float = 20) -> Any:
        """Wait until it returns something true."""
        end = time.monotonic() + seconds
        while not (value := self.js(code)):
            assert time.monotonic() < end, f"never true: {code}\n{self.complaints()}"
            time.sleep(0.03)
        return value

    def click(self, selector: str) -> None:
        """Choose the first that matches, as a person does, with the pointer."""
        element = self.driver.find_element("css selector", selector)
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def hover(self, selector: str) -> None:
        """Put the pointer on the first that matches."""
        from selenium.webdriver import ActionChains

        element = self.driver.find_element("css selector", selector)
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        ActionChains(self.driver).move_to_element(element).perform()

    def tooltip(self, selector: str, tries: int = 10) -> str:
        """What is said of a mark when the pointer comes to it, again where it was not noticed."""
        from selenium.webdriver import ActionChains

        for _ in range(tries):
            self.hover(selector)
            with suppress(AssertionError):
                return self.wait(
                    "return document.querySelector('#vg-tooltip-element')?.textContent", seconds=2
                )
            ActionChains(self.driver).move_by_offset(1, 40).perform()
        raise AssertionError(f"nothing is said of {selector}")

    def type(self, selector: str, text: str) -> None:
        """Write into a field, in place of what was there."""
        field = self.driver.find_element("css selector", selector)
        field.clear()
        field.send_keys(text)

    def texts(self, selector: str) -> list[str]:
        """The text of all that match, folded or not."""
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)",
            selector,
        )

    def complaints(self) -> list[str]:
        """What the console says: errors of scripts, and what the policy refused."""
        return [each["message"] for each in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Where the browser has gone since the page was opened."""
        messages = [
            json.loads(each["message"])["message"] for each in self.driver.get_log("performance")
        ]
        return [
            each["params"]["request"]["url"]
            for each in messages
            if each["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, path: Path) -> None:
        """A screenshot of what is in view."""
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        path.write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium drives the browser")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no chromium with chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for each in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any) -> Page:
    return Page(browser)
