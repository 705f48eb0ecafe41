"""Measure the rate of the Live pages: `python -m tests.browser.live_rate`, on an idle computer.

A film of 1280 x 720 with one face and 30 frames a second takes the place of the camera in a
headless Chromium. The rates that each page shows are read several times. Browser and server share
the computer, and a headless browser draws without a graphics card.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.screenshots import gradio_demo, write_film
from tests.browser.serving import SLOWEST_S, browser, installed_chromium, streamlit
from training.evaluation.speed import describe_machine

SETTLED_MS = 10_000
READ_EVERY_MS = 3_000
READINGS = 10
RATES = re.compile(r"([\d.]+) answers a second, (\d+) ms each, shown ([\d.]+) s late")
FRONTS = {"streamlit": streamlit, "gradio": gradio_demo}
RESULT = Path(__file__).resolve().parents[2] / "docs" / "results" / "live_rate.json"


def main() -> None:
    """Print the measured rates as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    parser.add_argument("--front", choices=(*FRONTS, "both"), default="both")
    options = parser.parse_args()
    chromium = installed_chromium(parser)
    expect.set_options(timeout=SLOWEST_S * 1000)
    report: dict[str, Any] = {"machine": describe_machine()}
    with tempfile.TemporaryDirectory() as folder:
        camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
        video = write_film(Path(folder), (1280, 720), 30)
        flag = f"--use-file-for-fake-video-capture={video}"
        for front, serve in FRONTS.items():
            if options.front in {front, "both"}:
                with serve() as address, browser(chromium, *camera, flag) as window:
                    report[front] = _read_rates(_open_live_page(window, front, address))
    text = json.dumps(report, indent=2) + "\n"
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - the program prints its result


def _open_live_page(window: Browser, front: str, address: str) -> Page:
    page = window.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(SLOWEST_S * 1000)
    if front == "streamlit":
        page.goto(f"{address}/live")
    else:
        page.goto(address)
        page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    return page


def _read_rates(page: Page) -> Mapping[str, float]:
    """Return answers a second over the last three seconds, and medians of the other rates."""
    pace = page.locator(".pace")
    expect(pace).to_contain_text("answers a second")
    page.wait_for_timeout(SETTLED_MS)
    readings = []
    for _ in range(READINGS):
        page.wait_for_timeout(READ_EVERY_MS)
        [reading] = RATES.findall(pace.inner_text())
        readings.append(tuple(map(float, reading)))
    rates, ms_each, behind = zip(*readings, strict=True)
    return {
        "answers_per_s": round(median(rates), 1),
        "least": min(rates),
        "most": max(rates),
        "ms_each": round(median(ms_each)),
        "s_behind": round(median(behind), 1),
    }


def live_table(report: Mapping[str, Any]) -> str:
    """Return the rates of both fronts as a Markdown table."""
    rates = [report[front] for front in FRONTS]
    rows = [
        ("", *(front.capitalize() for front in FRONTS)),
        ("---", *("---:" for _ in FRONTS)),
        (
            "frames answered a second, median",
            *(f"{rate['answers_per_s']:.1f}" for rate in rates),
        ),
        (
            "lowest and highest rate",
            *(f"{rate['least']:.1f} to {rate['most']:.1f}" for rate in rates),
        ),
        ("time on the server for one frame, ms", *(f"{rate['ms_each']}" for rate in rates)),
        ("delay of the shown frames, s", *(f"{rate['s_behind']:.1f}" for rate in rates)),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
