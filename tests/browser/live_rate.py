"""How often the live page answers: `python -m tests.browser.live_rate`, on an idle computer.

Shows the app's Live page a film in place of a camera, 1280 x 720 with one face, 30 frames a
second, in a headless Chromium, and prints what the page itself tells after a while. Browser and
server share the computer, and a headless browser draws without a graphics card.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.screenshots import film
from tests.browser.serving import SLOWEST_S, browser, installed_chromium, streamlit
from training.evaluation.speed import machine_told

SETTLED_MS = 20_000
"""Until the page's figure, an average over some ten answers, has settled."""


def main() -> None:
    """Print the page's own words as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    asked = parser.parse_args()
    chromium = installed_chromium(parser)
    expect.set_options(timeout=SLOWEST_S * 1000)
    with tempfile.TemporaryDirectory() as folder:
        camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
        shown = film(Path(folder), (1280, 720), 30)
        flag = f"--use-file-for-fake-video-capture={shown}"
        with browser(chromium, *camera, flag) as window, streamlit() as address:
            page = window.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(SLOWEST_S * 1000)
            page.goto(f"{address}/live")
            page.get_by_role("button", name="Start the camera").click()
            expect(page.locator(".pace")).to_contain_text("answers a second")
            page.wait_for_timeout(SETTLED_MS)
            told = page.locator(".pace").inner_text()
    text = json.dumps({"machine": machine_told(), "page": told}, indent=2) + "\n"
    if asked.out is not None:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - what this is for


if __name__ == "__main__":
    main()
