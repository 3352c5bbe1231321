"""Draws the top of a report as docs/images/report.png.

ansible-playbook playbooks/report.yml -e report_file=report.html
python docs/report_image.py report.html
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from selenium import webdriver

IMAGE = Path(__file__).resolve().parent / "images/report.png"
# A page in a README is about half as wide.
WIDTH, SCALE = 1180, 1
# The picture's bottom is where the image ends.
END = "return document.querySelector('figure').getBoundingClientRect().bottom + scrollY"


def draw(report: Path) -> None:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in ("--headless", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        metrics = {"width": WIDTH, "height": 1000, "deviceScaleFactor": SCALE, "mobile": False}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chrome.get(report.resolve().as_uri())
        height = int(chrome.execute_script(END)) + 32
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "height": height})
        chrome.save_screenshot(str(IMAGE))
    finally:
        chrome.quit()


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
