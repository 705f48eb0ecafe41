"""The page Live in a real browser whose camera shows a drawn face."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core import Emotion, read_image
from tests.browser.serving import SLOWEST_S, browser, streamlit
from tests.fakes import picture

pytestmark = pytest.mark.browser

SLOWEST_MS = SLOWEST_S * 1000
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[str]:
    expect.set_options(timeout=SLOWEST_MS)
    with streamlit(root / "tests" / "browser" / "quick_server.py") as served:
        yield f"{served}/live"


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Two frames of a happy face, which Chromium uses as its camera."""
    file = tmp_path_factory.mktemp("camera") / "film.y4m"
    frame = cv2.cvtColor(picture(Emotion.HAPPY, side=120), cv2.COLOR_RGB2YUV_I420).tobytes()
    header = b"YUV4MPEG2 W480 H360 F15:1 Ip A1:1 C420jpeg\n"
    file.write_bytes(header + 2 * (b"FRAME\n" + frame))
    return file


WITHOUT_WORKER = "delete window.MediaStreamTrackProcessor"
"""Acts like browsers in which a worker gets no frames."""


def opened(window, address: str, script: str = "") -> Page:
    page = window.new_context().new_page()
    page.add_init_script(script)
    page.set_default_timeout(SLOWEST_MS)
    page.goto(address)
    page.get_by_role("button", name="Start the camera").click()
    return page


@pytest.mark.parametrize("script", ["", WITHOUT_WORKER], ids=["worker", "page"])
def test_face_before_the_camera_is_framed_and_named(chromium, address, film, script):
    with browser(chromium, *CAMERA, f"--use-file-for-fake-video-capture={film}") as window:
        page = opened(window, address, script)
        expect(page.locator(".frame")).to_have_count(1)
        expect(page.locator(".frame span")).to_have_text(re.compile(r"1 · Happy \d+ %"))
        expect(page.locator(".pace")).to_have_text(re.compile(r"[\d.]+ answers a second, \d+ ms"))
        # The picture is mirrored: the face, left in the film, is framed on the right.
        left = page.locator(".frame").evaluate("frame => parseFloat(frame.style.left)")
        assert left > 50
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator(".frame")).to_have_count(0)
        expect(page.locator("video")).to_be_hidden()


def write_scenes(file: Path) -> Path:
    """Write a camera film that changes every second: a dark scene, a bright one, each a face."""
    scenes = []
    for emotion, far, shade in ((Emotion.HAPPY, False, 40), (Emotion.SAD, True, 200)):
        pixels = picture(emotion, side=120)
        pixels = pixels[:, ::-1] if far else pixels
        pixels = np.where(pixels[..., :1] < 235, np.uint8(shade), pixels)
        scenes += 15 * [cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420).tobytes()]
    header = b"YUV4MPEG2 W480 H360 F15:1 Ip A1:1 C420jpeg\n"
    file.write_bytes(header + b"".join(b"FRAME\n" + scene for scene in scenes))
    return file


WATCH_SCENES = """async () => {
  const seen = new Set();
  const roots = [...document.querySelectorAll("*")].map((each) => each.shadowRoot ?? each);
  const live = roots.map((root) => root.querySelector(".live")).find(Boolean);
  const picture = live.querySelector(".shown").getContext("2d");
  for (const end = performance.now() + 3000; performance.now() < end; ) {
    await new Promise(requestAnimationFrame);
    const frame = live.querySelector(".frame");
    const bright = picture.getImageData(240, 340, 1, 1).data[0] > 120;
    if (frame) seen.add(`${bright ? "bright" : "dark"} ${frame.textContent.split(" ")[2]}`);
  }
  return [...seen].sort();
}"""


def test_frames_belong_to_the_picture_that_is_shown(chromium, address, tmp_path):
    film = write_scenes(tmp_path / "scenes.y4m")
    with browser(chromium, *CAMERA, f"--use-file-for-fake-video-capture={film}") as window:
        page = opened(window, address)
        expect(page.locator(".frame")).to_have_count(1)
        assert page.evaluate(WATCH_SCENES) == ["bright Sad", "dark Happy"]


def test_session_is_kept_only_if_the_visitor_wants_it(chromium, address, film):
    with browser(chromium, *CAMERA, f"--use-file-for-fake-video-capture={film}") as window:
        page = opened(window, address)
        expect(page.locator(".frame")).to_have_count(1)
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save a snapshot").click()
        assert re.fullmatch(r"live-[\dT-]+\.jpg", saved.value.suggested_filename)
        assert read_image(Path(saved.value.path()).read_bytes(), name="snapshot").width == 480
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator(".film")).to_be_empty()

        page.get_by_text("Keep the answers of this session").click()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".pace")).to_have_text(re.compile("answers a second"))
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator(".track")).to_have_count(1)
        expect(page.locator(".film")).to_contain_text("1 face")
        with page.expect_download() as saved:
            page.get_by_role("link", name="Table (CSV)").click()
        assert saved.value.suggested_filename == "live.emotions.csv"
        assert "happy,happy" in Path(saved.value.path()).read_text(encoding="utf-8-sig")


def test_denied_camera_is_explained(chromium, address):
    with browser(chromium, CAMERA[0], "--deny-permission-prompts") as window:
        page = opened(window, address)
        expect(page.get_by_role("alert")).to_contain_text("Allow it")
        expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()


def test_missing_camera_is_explained(chromium, address):
    with browser(chromium, CAMERA[1]) as window:
        page = opened(window, address)
        expect(page.get_by_role("alert")).to_contain_text("No camera was found")


def test_lost_connection_is_explained_and_turns_the_camera_off(chromium, address):
    with browser(chromium, *CAMERA) as window:
        page = window.new_context().new_page()
        page.set_default_timeout(SLOWEST_MS)
        # Like a restarted server, which knows none of the earlier pages.
        page.route_web_socket("**/camera/*", lambda socket: socket.close())
        page.goto(address)
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_role("alert")).to_contain_text("was lost. Reload the page")
        expect(page.locator("video")).to_be_hidden()
        expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()


def test_answers_continue_when_settings_change(chromium, address, film):
    with browser(chromium, *CAMERA, f"--use-file-for-fake-video-capture={film}") as window:
        page = opened(window, address)
        expect(page.locator(".frame")).to_have_count(1)
        page.get_by_text("Advanced", exact=True).click()
        page.get_by_text("Fewer missed faces", exact=True).click()
        pace = page.locator(".pace")
        pace.evaluate("pace => pace.textContent = ''")
        expect(pace).to_have_text(re.compile("answers a second"))
        expect(page.locator(".frame")).to_have_count(1)
