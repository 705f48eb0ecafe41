"""Takes the README's pictures of the real pages: `python -m tests.browser.screenshots`.

Starts the Streamlit app and the Gradio demo with the shipped model and answers the sample photo.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

from playwright.sync_api import Browser, Page, expect

from frontends.sample import SAMPLE_NAME, sample_photo
from tests.browser.serving import ROOT, SLOWEST_S, browser, streamlit

SLOWEST_MS = SLOWEST_S * 1000
SETTLED_MS = 1500
"""Until the fonts and the fading in are done."""


def main() -> None:
    """Write streamlit.png, streamlit-dark.png and gradio.png into the folder that is named."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    out: Path = parser.parse_args().out
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("there is no Chromium; on Debian: apt-get install chromium")
    out.mkdir(parents=True, exist_ok=True)
    with browser(Path(chromium)) as window:
        with streamlit() as address:
            for name, scheme in (("streamlit", "light"), ("streamlit-dark", "dark")):
                page = _open(window, address, scheme, height=900)
                sources = page.get_by_role("radiogroup", name="Where from")
                sources.get_by_text("Sample photo").click()
                _save(page, "article.face", out / f"{name}.png")
        with _gradio() as address:
            page = _open(window, address, "light", height=900)
            photo = {"name": SAMPLE_NAME, "mimeType": "image/png", "buffer": sample_photo()}
            page.locator("input[type=file]").first.set_input_files([photo])
            _save(page, "article.face", out / "gradio.png", whole=True)


def _open(window: Browser, address: str, scheme: str, *, height: int) -> Page:
    context = window.new_context(
        viewport={"width": 1280, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(SLOWEST_MS)
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible(timeout=SLOWEST_MS)
    return page


def _save(page: Page, awaited: str, file: Path, *, whole: bool = False) -> None:
    expect(page.locator(awaited).first).to_be_visible(timeout=SLOWEST_MS)
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=str(file), full_page=whole)
    sys.stderr.write(f"Wrote {file}\n")
    page.context.close()


@contextmanager
def _gradio() -> Iterator[str]:
    code = (
        "import sys; from frontends.gradio_app.demo import build_demo; "
        "from frontends.gradio_app.serve import launch; "
        "_, address, _ = launch(build_demo(), prevent_thread_lock=True, server_name='127.0.0.1'); "
        "sys.stdout.write(address + '\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


if __name__ == "__main__":
    main()
