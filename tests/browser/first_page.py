"""How long a visitor waits: `python -m tests.browser.first_page`, on an idle computer.

Starts the app with the shipped model, again for each round, opens it in a new Chromium as soon as
the server says it is up, and tells the median seconds until the heading, until the sample's button
can be pressed, and, the page being ready, from handing over a photo of 1024 x 768 with two faces
to its first card; then the same for a second visit, as everyone but the first has it.
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
from training.benchmark.photos import generated
from training.evaluation.speed import machine_told

SAMPLE = "Try the sample photo"
CARD = "article.face"
MOMENTS = {
    "heading": "the page's heading is seen",
    "sample button": "the sample's button can be pressed",
    "answer": "a photo of 1024 x 768 is answered, from its choice to its first card",
}
READY_MS = 6000
"""For the model to load behind the page."""


def main() -> None:
    """Print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    asked = parser.parse_args()
    chromium = installed_chromium(parser)
    expect.set_options(timeout=SLOWEST_S * 1000)
    rounds = []
    for _ in range(asked.rounds):
        with browser(chromium) as window, streamlit() as address:
            rounds.append({visit: _visit(window, address) for visit in ("first", "second")})
    told = {
        visit: {
            moment: round(statistics.median(each[visit][moment] for each in rounds), 2)
            for moment in rounds[0][visit]
        }
        for visit in ("first", "second")
    }
    report = {"machine": machine_told(), "rounds": asked.rounds, "seconds": told}
    text = json.dumps(report, indent=2) + "\n"
    if asked.out is not None:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")  # noqa: T201 - what this is for


def first_page_table(report: Mapping[str, Any]) -> str:
    """The seconds as Markdown."""
    visits = report["seconds"]
    lines = ["| seconds until | first visit | second visit |", "| --- | ---: | ---: |"]
    for moment, words in MOMENTS.items():
        told = " | ".join(f"{visits[visit][moment]:.2f}" for visit in ("first", "second"))
        lines.append(f"| {words} | {told} |")
    return "\n".join(lines) + "\n"


def _visit(window: Browser, address: str) -> dict[str, float]:
    with window.new_context() as visit:
        page = visit.new_page()
        page.set_default_timeout(SLOWEST_S * 1000)
        told: dict[str, float] = {}
        started = time.perf_counter()
        page.goto(address, wait_until="commit")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        told["heading"] = time.perf_counter() - started
        expect(page.get_by_role("button", name=SAMPLE)).to_be_enabled()
        told["sample button"] = time.perf_counter() - started
        page.wait_for_timeout(READY_MS)
        started = time.perf_counter()
        upload(page, ("photo.jpg", _photo()))
        expect(page.locator(CARD).first).to_be_visible()
        told["answer"] = time.perf_counter() - started
        return told


def _photo() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(generated((1024, 768), 2).pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
