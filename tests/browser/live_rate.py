"""How often the live pages answer: `python -m tests.browser.live_rate`, on an idle computer.

Shows the Live page of both fronts a film in place of a camera, 1280 x 720 with one face, 30 frames
a second, in a headless Chromium, and prints what each page tells of the last seconds, several
times. Browser and server share the computer, and a headless browser draws without a graphics card.
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

from tests.browser.screenshots import film, gradio_demo
from tests.browser.serving import SLOWEST_S, browser, installed_chromium, streamlit
from training.evaluation.speed import machine_told

SETTLED_MS = 10_000
LOOK_EVERY_MS = 3_000
LOOKS = 10
TOLD = re.compile(r"([\d.]+) answers a second, (\d+) ms each, ([\d.]+) s behind")
FRONTS = {"streamlit": streamlit, "gradio": gradio_demo}
RESULT = Path(__file__).resolve().parents[2] / "docs" / "results" / "live_rate.json"


def main() -> None:
    """Print what the pages tell as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    parser.add_argument("--front", choices=(*FRONTS, "both"), default="both")
    asked = parser.parse_args()
    chromium = installed_chromium(parser)
    expect.set_options(timeout=SLOWEST_S * 1000)
    told: dict[str, Any] = {"machine": machine_told()}
    with tempfile.TemporaryDirectory() as folder:
        camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
        shown = film(Path(folder), (1280, 720), 30)
        flag = f"--use-file-for-fake-video-capture={shown}"
        for front, serve in FRONTS.items():
            if asked.front in {front, "both"}:
                with serve() as address, browser(chromium, *camera, flag) as window:
                    told[front] = _figures(_opened(window, front, address))
    text = json.dumps(told, indent=2) + "\n"
    if asked.out is not None:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - what this is for


def _opened(window: Browser, front: str, address: str) -> Page:
    page = window.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(SLOWEST_S * 1000)
    if front == "streamlit":
        page.goto(f"{address}/live")
    else:
        page.goto(address)
        page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    return page


def _figures(page: Page) -> Mapping[str, float]:
    """Answers a second, each look at the last three seconds, and medians of what else is told."""
    pace = page.locator(".pace")
    expect(pace).to_contain_text("answers a second")
    page.wait_for_timeout(SETTLED_MS)
    looks = []
    for _ in range(LOOKS):
        page.wait_for_timeout(LOOK_EVERY_MS)
        [found] = TOLD.findall(pace.inner_text())
        looks.append(tuple(map(float, found)))
    rates, each, behind = zip(*looks, strict=True)
    return {
        "answers_per_s": round(median(rates), 1),
        "least": min(rates),
        "most": max(rates),
        "ms_each": round(median(each)),
        "s_behind": round(median(behind), 1),
    }


def live_table(told: Mapping[str, Any]) -> str:
    """The figures of both fronts as Markdown."""
    fronts = [told[front] for front in FRONTS]
    rows = [
        ("", *(front.capitalize() for front in FRONTS)),
        ("---", *("---:" for _ in FRONTS)),
        ("frames answered a second, median", *(f"{each['answers_per_s']:.1f}" for each in fronts)),
        ("least and most", *(f"{each['least']:.1f} to {each['most']:.1f}" for each in fronts)),
        ("ms for each on the server", *(f"{each['ms_each']}" for each in fronts)),
        ("seconds that frames around faces lag", *(f"{each['s_behind']:.1f}" for each in fronts)),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
