# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a visitor of the workshop's page sees, by Debian's Chromium.

    SLIPWAY_URL=http://<address>/ pytest tests/browser

SLIPWAY_SCREENSHOTS=<folder> keeps pictures of the page as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

# Wide enough for the longest page of each layout.
SIZES = {"wide": (1280, 1290), "narrow": (500, 1600)}
TRANSPARENT = "rgba(0, 0, 0, 0)"
RELOADS = 10
# Whatever colour space the style uses, a canvas knows the bytes.
BACKGROUND_LIGHTNESS = """
const context = document.createElement("canvas").getContext("2d");
context.fillStyle = getComputedStyle(document.body).backgroundColor;
context.fillRect(0, 0, 1, 1);
return Math.max(...context.getImageData(0, 0, 1, 1).data.slice(0, 3));
"""


@pytest.fixture(scope="session")
def url() -> str:
    """The page's address."""
    address = os.environ.get("SLIPWAY_URL")
    if not address:
        pytest.skip("SLIPWAY_URL does not say where the page is")
    return address if address.endswith("/") else f"{address}/"


@pytest.fixture
def page(browser: webdriver.Chrome, url: str) -> webdriver.Chrome:
    """The page, just opened."""
    resize(browser, "wide")
    browser.get(url)
    return browser


def resize(browser: webdriver.Chrome, size: str) -> None:
    """Set the size of what the page sees: a window also has borders and bars."""
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def style(page: webdriver.Chrome, selector: str, member: str) -> str:
    return page.find_element(By.CSS_SELECTOR, selector).value_of_css_property(member)


def text(page: webdriver.Chrome, identifier: str) -> str:
    return page.find_element(By.ID, identifier).text


def test_stylesheet_comes_as_css(page: webdriver.Chrome) -> None:
    (sheet,) = page.find_elements(By.CSS_SELECTOR, "link[rel=stylesheet]")
    # The browser resolves the name: few other resolvers know names below localhost.
    headers = page.execute_async_script(
        "fetch(arguments[0]).then(answer => arguments[1](Object.fromEntries(answer.headers)))",
        sheet.get_property("href"),
    )
    assert headers["content-type"].split(";")[0] == "text/css"
    assert headers["server"] == "nginx"


def test_page_is_styled(page: webdriver.Chrome) -> None:
    rules = page.execute_script("return Array.from(document.styleSheets, sheet => sheet.cssRules.length)")
    assert len(rules) == 1
    assert rules[0] > 30
    assert "linear-gradient" in style(page, ".hero", "background-image")
    assert style(page, ".card", "background-color") != TRANSPARENT
    assert style(page, ".route", "list-style-type") == "none"
    assert float(style(page, "h1", "font-size").removesuffix("px")) > 40


def test_browser_has_nothing_to_complain_about(page: webdriver.Chrome) -> None:
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_task_and_revision_are_shown(page: webdriver.Chrome) -> None:
    assert re.fullmatch(r"[0-9a-f-]{32,36}", text(page, "task")), text(page, "task")
    assert re.fullmatch(r"[\w-]+:\d+", text(page, "revision"))


def test_counters_rise(page: webdriver.Chrome, url: str) -> None:
    """Each task counts for itself, and the load balancer chooses: what rises is each task's own number."""
    last: dict[str, int] = {}
    for __ in range(RELOADS):
        page.get(url)
        task, visits = text(page, "task"), int(text(page, "visits"))
        assert visits > last.get(task, 0), f"task {task} went from {last.get(task)} to {visits}"
        last[task] = visits


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_its_window(page: webdriver.Chrome, size: str, scheme: str) -> None:
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    resize(page, size)
    keep_picture(page, f"page-{size}-{scheme}.png")
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    lightness = page.execute_script(BACKGROUND_LIGHTNESS)
    assert lightness > 200 if scheme == "light" else lightness < 60


def keep_picture(page: webdriver.Chrome, name: str) -> None:
    folder = os.environ.get("SLIPWAY_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.save_screenshot(str(Path(folder) / name))
