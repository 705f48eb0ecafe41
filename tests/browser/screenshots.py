"""Take the pictures of the real pages for README and docs: `make screenshots`.

Starts the Streamlit app and the Gradio demo with the shipped model and answers the sample photo.
Names choose some of them: `python -m tests.browser.screenshots streamlit-live gradio`.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from playwright.sync_api import Browser, Page, expect

from core import RgbImage, video_writer
from frontends.sample import SAMPLE_NAME, sample_photo
from tests.browser.pages import upload
from tests.browser.serving import ROOT, SLOWEST_S, browser, installed_chromium, streamlit

SLOWEST_MS = SLOWEST_S * 1000
SETTLED_MS = 2500
"""Time until fonts and charts are drawn and nothing fades in any more."""
COLOURS = 256
"""Size of the palette: a third of the bytes, without a visible difference."""
FACE = "article.face"
PHONE = (390, 844)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of one page."""

    name: str
    path: str
    prepare: Callable[[Page], None]
    awaited: str
    """Selector of what must be visible before the picture is taken."""
    size_wh: tuple[int, int] = (1280, 900)
    dark: bool = False


def main() -> None:
    """Write the pictures, all or those that are named, into a folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    arguments = parser.parse_args()
    out: Path = arguments.out
    chromium = installed_chromium(parser)
    out.mkdir(parents=True, exist_ok=True)
    names = set(arguments.names) or {*(shot.name for shot in SHOTS), "gradio"}
    with tempfile.TemporaryDirectory() as folder:
        camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
        shown = f"--use-file-for-fake-video-capture={write_film(Path(folder))}"
        with browser(chromium, *camera, shown) as window:
            _streamlit(window, names, out)
            if "gradio" in names:
                with gradio_demo() as address:
                    page = _open(window, address)
                    upload(page, (SAMPLE_NAME, sample_photo()))
                    _save(page, FACE, out / "gradio.png", whole=True)


def _streamlit(window: Browser, names: Collection[str], out: Path) -> None:
    shots = [shot for shot in SHOTS if shot.name in names]
    if not shots:
        return
    with streamlit() as address:
        for shot in shots:
            page = _open(window, f"{address}/{shot.path}", shot.size_wh, dark=shot.dark)
            shot.prepare(page)
            _save(page, shot.awaited, out / f"{shot.name}.png")


def _take_sample(page: Page) -> None:
    sources = page.get_by_role("radiogroup", name="Where from")
    sources.get_by_text("Sample photo").click()


def _ask_everyone(page: Page) -> None:
    _take_sample(page)
    expect(page.locator(FACE).first).to_be_visible(timeout=SLOWEST_MS)
    page.get_by_text("What each network says").click()


def _take_several(page: Page) -> None:
    sample = Image.open(io.BytesIO(sample_photo())).convert("RGB")
    pictures = {
        SAMPLE_NAME: sample,
        "mirrored.png": ImageOps.mirror(sample),
        "dark.png": ImageEnhance.Brightness(sample).enhance(0.2),
        "small.png": sample.resize((170, 170)),
        "no face.png": sample.crop((300, 300, 512, 512)),
    }
    files = []
    for name, picture in pictures.items():
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        files.append((name, buffer.getvalue()))
    upload(page, *files, ("notes.txt", b"hello"))


def _start_camera(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()


def _give_film(page: Page) -> None:
    """Give a film of the sample photo, which moves to and fro and grows dark for a while."""
    sample = Image.open(io.BytesIO(sample_photo())).convert("RGB").resize((700, 700))
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        with video_writer(film, size_wh=(640, 360), frames_per_s=15) as write:
            for number in range(120):
                left = 20 + round(20 * np.sin(number / 9))
                part = sample.crop((left, 20, left + 640, 380))
                light = min(1.0, max(0.02, abs(number - 65) / 25))
                part = ImageEnhance.Brightness(part).enhance(light)
                write(RgbImage(np.array(part)), number / 15)
        page.locator("input[type=file]").first.set_input_files(film)
        expect(page.locator(".film .track").first).to_be_visible(timeout=SLOWEST_MS)
    page.locator(".film .track").first.click(position={"x": 120, "y": 8})


def _do_nothing(page: Page) -> None:
    """Leave the page as it opens."""


SHOTS = (
    Shot("streamlit", "", _take_sample, FACE),
    Shot("streamlit-dark", "", _ask_everyone, ".face-models", dark=True),
    Shot("streamlit-several", "", _take_several, "[data-testid=stDataFrame] canvas"),
    Shot("streamlit-compare", "compare", _take_sample, ".compared", (1280, 1100)),
    Shot("streamlit-detection", "detection-lab", _take_sample, ".st-key-picture img"),
    Shot(
        "streamlit-landmarks",
        "landmark-lab",
        _take_sample,
        "[data-testid=stVegaLiteChart] >> nth=1",
        (1280, 1100),
    ),
    Shot("streamlit-live", "live", _start_camera, ".frame"),
    Shot("streamlit-video", "video", _give_film, ".film .track", (1280, 1000)),
    Shot("streamlit-about", "about", _do_nothing, "text=How it works"),
    Shot("streamlit-phone", "", _take_sample, FACE, PHONE),
)


def _open(
    window: Browser, address: str, size_wh: tuple[int, int] = (1280, 900), *, dark: bool = False
) -> Page:
    width, height = size_wh
    context = window.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(SLOWEST_MS)
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible(timeout=SLOWEST_MS)
    return page


def _save(page: Page, awaited: str, file: Path, *, whole: bool = False) -> None:
    expect(page.locator(awaited).first).to_be_visible(timeout=SLOWEST_MS)
    # Streamlit's and Gradio's messages while a model is loading.
    for message in ("stSpinner", "toast-body"):
        expect(page.get_by_test_id(message)).to_have_count(0, timeout=SLOWEST_MS)
    for shown in page.locator("img").all():
        # An image that is still loading has no size.
        shown.evaluate("image => image.decode()")
    page.wait_for_timeout(SETTLED_MS)
    with Image.open(io.BytesIO(page.screenshot(full_page=whole))) as taken:
        taken.convert("RGB").quantize(COLOURS, kmeans=4).save(file, optimize=True)
    sys.stderr.write(f"Wrote {file}\n")
    page.context.close()


def write_film(folder: Path, size_wh: tuple[int, int] = (640, 480), frames_per_s: int = 15) -> Path:
    """Write the sample's upper half as a film of two frames, which Chromium uses as its camera."""
    file = folder / "camera.y4m"
    width, height = size_wh
    with Image.open(io.BytesIO(sample_photo())) as sample:
        part = sample.convert("RGB").crop((30, 0, 478, 336)).resize((width, height))
    frame = cv2.cvtColor(np.asarray(part), cv2.COLOR_RGB2YUV_I420).tobytes()
    header = f"YUV4MPEG2 W{width} H{height} F{frames_per_s}:1 Ip A1:1 C420jpeg\n".encode()
    file.write_bytes(header + 2 * (b"FRAME\n" + frame))
    return file


@contextmanager
def gradio_demo() -> Iterator[str]:
    """Yield the address of the demo with the shipped networks."""
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
