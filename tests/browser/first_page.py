"""How long a visitor waits: `python -m tests.browser.first_page`, on an idle computer.

Starts the app with the shipped model, again for each round, opens it in a new Chromium as soon as
the server says it is up, and prints the median seconds until the heading and until the button for
the sample photo, then those from the click on it to the first card, the page being ready; and the
same for a second visit, as everyone but the first has it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import SLOWEST_S, browser, streamlit

SAMPLE = "Try the sample photo"
CARD = "article.face"


def main() -> None:
    """Print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("there is no Chromium; on Debian: apt-get install chromium")
    expect.set_options(timeout=SLOWEST_S * 1000)
    rounds = []
    for _ in range(asked.rounds):
        with browser(Path(chromium)) as window, streamlit() as address:
            rounds.append({"first": _visit(window, address), "second": _visit(window, address)})
    told = {
        visit: {
            moment: round(statistics.median(each[visit][moment] for each in rounds), 2)
            for moment in rounds[0][visit]
        }
        for visit in ("first", "second")
    }
    text = json.dumps({"rounds": asked.rounds, "seconds": told}, indent=2) + "\n"
    if asked.out is not None:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - what this is for


def _visit(window: Browser, address: str) -> dict[str, float]:
    with window.new_context() as visit:
        page = visit.new_page()
        page.set_default_timeout(SLOWEST_S * 1000)
        told: dict[str, float] = {}
        started = time.perf_counter()
        page.goto(address, wait_until="commit")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        told["heading"] = time.perf_counter() - started
        button = page.get_by_role("button", name=SAMPLE)
        expect(button).to_be_enabled()
        told["sample button"] = time.perf_counter() - started
        _settled(page)
        told["answer after a click"] = _seconds(lambda: _answered(page))
        return told


def _settled(page: Page) -> None:
    """Until the models are loaded behind the page."""
    page.wait_for_timeout(6000)


def _answered(page: Page) -> None:
    page.get_by_role("button", name=SAMPLE).click()
    expect(page.locator(CARD).first).to_be_visible()


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
