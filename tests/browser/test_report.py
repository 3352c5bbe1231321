# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in Debian's Chromium: nothing overlaps or is cut off, nothing is requested, everything can be reached.

    pytest tests/browser/test_report.py

SLIPWAY_SCREENSHOTS=<folder> keeps pictures of it as well.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ansible_collections.slipway.aws.plugins.plugin_utils.report import page
from ansible_collections.slipway.aws.plugins.plugin_utils.report_html import rendered
from ansible_collections.slipway.aws.tests.report_sites import NOW, Site, answer

HOSTILE = "<script>document.title = 'taken'</script>"
LONG = "a-name-of-a-service-that-is-as-long-as-amazon-ecs-allows-" * 4
SITES = {
    "two": Site(),
    "fifty": Site(services=50, zones=3, tasks=3, clusters=("shop", "office"), troubled=frozenset({"basket-api"})),
    "odd": Site(names=(HOSTILE, LONG, "x"), tasks=9, owned_network=False),
    "hosts": Site(services=4, hosts=3, private=False, balanced=False),
    "empty": Site(services=0, clusters=(), balanced=False, owned_network=False, docker_host=False),
}
WIDTHS = {"wide": 1280, "middle": 800, "narrow": 400}
# Texts that leave their box, and texts that overlap, of the one picture that is visible.
PROBLEMS = """
const picture = [...document.querySelectorAll(".picture")].find(one => one.getClientRects().length);
const found = [], texts = [];
for (const group of picture.querySelectorAll("g, a")) {
  const box = group.querySelector(":scope > rect").getBoundingClientRect();
  for (const text of group.querySelectorAll(":scope > text")) {
    const size = text.getBoundingClientRect();
    if (size.left < box.left || size.right > box.right || size.top < box.top || size.bottom > box.bottom)
      found.push(`${text.textContent} leaves its box`);
    texts.push([text.textContent, size]);
  }
}
texts.forEach(([name, a], n) => texts.slice(n + 1).forEach(([other, b]) => {
  if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
    found.push(`${name} overlaps ${other}`);
}));
return [texts.length, found];
"""
DEAD_LINKS = """
const links = [...document.querySelectorAll("a[href^='#']")];
return links.map(link => decodeURIComponent(link.getAttribute("href").slice(1)))
  .filter(id => !document.getElementById(id));
"""
TWICE = """
const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
return ids.filter((id, n) => ids.indexOf(id) !== n);
"""
# One call instead of two for each service.
VISIBLE_NAMES = """
const rows = [...document.querySelectorAll(".services tbody tr")].filter(row => row.checkVisibility());
return rows.map(row => row.querySelector("strong").innerText);
"""


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of all sites."""
    folder = tmp_path_factory.mktemp("report")
    for name, site in SITES.items():
        of = page("shop", answer(site), datetime.datetime.fromisoformat(NOW), "0.2.0")
        (folder / f"{name}.html").write_text(rendered(of))
    return {name: folder / f"{name}.html" for name in SITES}


class View:
    """The browser, with a report open."""

    def __init__(self, chrome: webdriver.Chrome, files: dict[str, Path]) -> None:
        self.chrome = chrome
        self.files = files

    def open(self, site: str, width: int = 1280, scheme: str = "light", media: str = "") -> webdriver.Chrome:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        for log in ("browser", "performance"):
            self.chrome.get_log(log)  # type: ignore[no-untyped-call]
        self.chrome.get(self.files[site].as_uri())
        self._keep(f"report-{site}-{width}-{scheme}{media}.png", width)
        return self.chrome

    def requests(self) -> list[str]:
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def console(self) -> list[Any]:
        return self._log("browser")

    def _log(self, name: str) -> list[Any]:
        return list(self.chrome.get_log(name))  # type: ignore[no-untyped-call]

    def _keep(self, name: str, width: int) -> None:
        if folder := os.environ.get("SLIPWAY_SCREENSHOTS"):
            height = min(self.chrome.execute_script("return document.documentElement.scrollHeight"), 6000)
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.chrome.save_screenshot(str(Path(folder) / name))


@pytest.fixture
def view(browser: webdriver.Chrome, files: dict[str, Path]) -> View:
    return View(browser, files)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_requested_and_nothing_complains(view: View, site: str, scheme: str) -> None:
    view.open(site, scheme=scheme)
    assert set(view.requests()) <= {view.files[site].as_uri(), "data:,"}
    assert view.console() == []


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_texts_fit_their_boxes_and_pages_their_windows(view: View, site: str, width: int) -> None:
    page = view.open(site, width)
    number, problems = page.execute_script(PROBLEMS)
    assert number > 0
    assert problems == []
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("site", SITES)
def test_texts_fit_their_boxes_on_paper(view: View, site: str) -> None:
    page = view.open(site, 718, media="print")
    assert page.execute_script(PROBLEMS)[1] == []
    shown = [one for one in page.find_elements(By.CSS_SELECTOR, ".picture") if one.is_displayed()]
    assert {one.get_attribute("class") for one in shown} == {"picture paper"}


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_one_picture_is_visible(view: View, width: int) -> None:
    page = view.open("fifty", width)
    assert sum(one.is_displayed() for one in page.find_elements(By.CSS_SELECTOR, ".picture")) == 1


@pytest.mark.parametrize("site", SITES)
def test_links_lead_somewhere_and_ids_are_unique(view: View, site: str) -> None:
    page = view.open(site)
    assert page.execute_script(DEAD_LINKS) == []
    assert page.execute_script(TWICE) == []


def test_a_service_in_the_picture_leads_to_its_row(view: View) -> None:
    page = view.open("fifty")
    page.find_element(By.CSS_SELECTOR, ".picture.wide a[href='#service-office/worker']").click()
    assert page.execute_script("return document.querySelector(':target').textContent").split()[0] == "worker"


@pytest.mark.parametrize(("scheme", "is_light"), [("light", True), ("dark", False)])
def test_colours_follow_the_scheme(view: View, scheme: str, is_light: bool) -> None:
    page = view.open("two", scheme=scheme)
    colour = page.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (int(colour.removeprefix("rgba(").split(",")[0]) > 128) == is_light


def test_names_are_text(view: View) -> None:
    page = view.open("odd")
    assert page.title.startswith("shop: report")
    assert len(page.find_elements(By.TAG_NAME, "script")) == 1
    assert HOSTILE in page.find_element(By.CSS_SELECTOR, ".services").text


def test_services_are_sorted_and_filtered(view: View) -> None:
    page = view.open("fifty")

    def names() -> list[str]:
        return list(page.execute_script(VISIBLE_NAMES))

    # Those that need attention come first.
    assert names()[0] == "basket-api"
    button = page.find_element(By.CSS_SELECTOR, ".services thead button")
    button.click()
    assert names() == sorted(SITES["fifty"].all_names())
    button.click()
    assert names() == sorted(SITES["fifty"].all_names(), reverse=True)
    page.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("office mailer")
    assert names()
    assert {name.partition("-")[0] for name in names()} == {"mailer"}


def test_the_keyboard_reaches_the_services_first(view: View) -> None:
    page = view.open("two")
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = page.switch_to.active_element
    assert focused.text == "Skip to the services"
    assert focused.get_attribute("href").endswith("#services")


def test_everything_is_there_without_javascript(view: View) -> None:
    view.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page = view.open("fifty")
        assert len(page.find_elements(By.CSS_SELECTOR, ".services tbody tr")) == 50
        assert page.find_elements(By.CSS_SELECTOR, "button, input") == []
    finally:
        view.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
