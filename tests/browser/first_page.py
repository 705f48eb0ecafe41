"""Measure how long a visitor waits: `python -m tests.browser.first_page`, on an idle computer.

Each round starts the app with the shipped model and opens it in a new Chromium as soon as the
server is up. The results are median seconds until the heading is visible, until the button of the
sample can be pressed, and, on a page that is ready, from choosing a photo of 1024 x 768 with two
faces to its first card. A second visit shows what everyone but the first visitor sees.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.pages import upload
from tests.browser.serving import SLOWEST_S, browser, installed_chromium, streamlit
from training.benchmark.photos import generate_photo
from training.evaluation.speed import describe_machine

SAMPLE = "Try the sample photo"
CARD = "article.face"
MOMENTS = {
    "heading": "the heading of the page is visible",
    "sample button": "the button of the sample photo can be pressed",
    "answer": "the first card is shown, from choosing a photo of 1024 x 768",
}
READY_MS = 6000
"""Time for the model to load in the background."""


def main() -> None:
    """Print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    options = parser.parse_args()
    chromium = installed_chromium(parser)
    expect.set_options(timeout=SLOWEST_S * 1000)
    rounds = []
    for _ in range(options.rounds):
        with browser(chromium) as window, streamlit() as address:
            rounds.append({visit: _measure_visit(window, address) for visit in ("first", "second")})
    seconds = {
        visit: {
            moment: round(statistics.median(times[visit][moment] for times in rounds), 2)
            for moment in rounds[0][visit]
        }
        for visit in ("first", "second")
    }
    report = {"machine": describe_machine(), "rounds": options.rounds, "seconds": seconds}
    text = json.dumps(report, indent=2) + "\n"
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - the program prints its result


def first_page_table(report: Mapping[str, Any]) -> str:
    """Return the seconds as a Markdown table."""
    visits = report["seconds"]
    lines = ["| seconds until | first visit | second visit |", "| --- | ---: | ---: |"]
    for moment, words in MOMENTS.items():
        cells = " | ".join(f"{visits[visit][moment]:.2f}" for visit in ("first", "second"))
        lines.append(f"| {words} | {cells} |")
    return "\n".join(lines) + "\n"


def _measure_visit(window: Browser, address: str) -> dict[str, float]:
    with window.new_context() as visit:
        page = visit.new_page()
        page.set_default_timeout(SLOWEST_S * 1000)
        seconds: dict[str, float] = {}
        started = time.perf_counter()
        page.goto(address, wait_until="commit")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        seconds["heading"] = time.perf_counter() - started
        expect(page.get_by_role("button", name=SAMPLE)).to_be_enabled()
        seconds["sample button"] = time.perf_counter() - started
        page.wait_for_timeout(READY_MS)
        started = time.perf_counter()
        upload(page, ("photo.jpg", _photo()))
        expect(page.locator(CARD).first).to_be_visible()
        seconds["answer"] = time.perf_counter() - started
        return seconds


def _photo() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(generate_photo((1024, 768), 2).pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
