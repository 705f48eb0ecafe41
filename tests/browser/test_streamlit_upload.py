"""The Streamlit page in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from core import (
    MAX_FILE_BYTES,
    AnalyzerConfig,
    Emotion,
    ProjectError,
    model_catalog,
    read_image,
    to_json,
)
from frontends.sample import SAMPLE_NAME, sample_photo
from tests.browser.pages import upload, visit
from tests.browser.serving import SLOWEST_S, free_port, streamlit
from tests.core.reading.media_files import heic
from tests.fakes import FakeAnalyzer, picture, png

pytestmark = pytest.mark.browser

SLOWEST_MS = SLOWEST_S * 1000
AA_CONTRAST = 4.5
PHONE = {"width": 390, "height": 844}


def faces(page: Page):
    return page.locator("article.face")


def test_uploaded_photo_is_answered_by_the_shipped_model(window):
    try:
        trained = {info.name for info in model_catalog() if info.trained}
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")
    if AnalyzerConfig().model not in trained:
        pytest.skip("needs the shipped weights of the default model")
    with streamlit() as address:
        page = visit(window, address)
        upload(page, (SAMPLE_NAME, sample_photo()))
        expect(faces(page)).to_have_count(1)
        label = faces(page).get_attribute("aria-label")
        assert re.fullmatch(r"Face 1: Happy, .*\d+ %", label), label
        # The answer can appear before the browser has loaded its picture.
        expect(page.locator(".st-key-picture img").first).to_have_js_property("naturalWidth", 512)


def test_files_lost_with_the_connection_are_named_and_new_ones_answered(window, root):
    server, port = root / "tests" / "browser" / "quick_server.py", free_port()
    with streamlit(server, port) as address:
        page = visit(window, address)
        upload(page, ("lost.png", png(picture(Emotion.HAPPY))))
        expect(faces(page)).to_have_count(1)
    with streamlit(server, port):
        # Until the page is connected again, the uploader takes nothing.
        expect(page.locator("input[type=file]").first).to_be_disabled()
        expect(page.locator("input[type=file]").first).to_be_enabled()
        upload(page, ("new.png", png(picture(Emotion.SAD, Emotion.SAD))))
        expect(page.get_by_text("The connection was lost, and with it 1 of the")).to_be_visible()
        expect(faces(page)).to_have_count(2)


def test_picture_is_zoomed_by_mouse_and_keyboard(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    image = page.locator(".st-key-picture img").first
    expect(image).to_have_attribute("tabindex", "0")
    image.dblclick()
    expect(image).to_have_attribute("style", re.compile(r"scale\(2\.5\)"))
    image.press("0")
    expect(image).to_have_attribute("style", re.compile(r"scale\(1\)"))
    image.press("+")
    expect(image).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))


def test_document_saved_from_the_page_equals_the_library_s(window, quick):
    data = png(picture(Emotion.HAPPY, Emotion.SAD))
    page = visit(window, quick)
    upload(page, ("two people.png", data))
    with page.expect_download() as saving:
        page.get_by_role("button", name="Data (JSON)").click()
    saved = saving.value
    assert saved.suggested_filename == "two_people.emotions.json"
    expected = to_json(FakeAnalyzer().analyze(read_image(data, name="two people.png")))
    assert Path(saved.path()).read_text(encoding="utf-8") == expected


def test_wrong_file_is_explained(window, quick):
    page = visit(window, quick)
    upload(page, ("holiday.psd", b"8BPS\0\x01" + bytes(64)))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("holiday.psd could not be read")
    expect(alert).to_contain_text("Photoshop")
    expect(alert).not_to_contain_text("Traceback")


def test_phone_photo_is_answered_and_a_file_over_the_limit_is_named(window, quick, tmp_path):
    page = visit(window, quick)
    face = Image.fromarray(picture(Emotion.HAPPY))
    (tmp_path / "IMG_1.HEIC").write_bytes(heic(face, quality=-1, chroma="444"))
    with (tmp_path / "big.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    notice = page.get_by_text("Files marked in red are larger than 50 MB")
    files = page.locator("input[type=file]").first
    files.set_input_files(tmp_path / "IMG_1.HEIC")
    expect(faces(page)).to_have_count(1)
    expect(notice).to_be_hidden()
    files.set_input_files(tmp_path / "big.jpg")
    expect(notice).to_be_visible()
    expect(faces(page)).to_have_count(1)


def test_all_of_many_faces_and_photos_are_shown(window, quick):
    page = visit(window, quick)
    crowd = png(picture(*(list(Emotion) + list(Emotion)[:3])))
    upload(
        page, ("crowd.png", crowd), ("notes.txt", b"hello"), ("one.png", png(picture(Emotion.SAD)))
    )
    expect(page.get_by_text("3 files: 11 faces in 2 photos, 1 file not read")).to_be_visible()
    expect(faces(page)).to_have_count(10)
    with page.expect_download() as saving:
        page.get_by_role("button", name="All data (JSON)").click()
    saved = json.loads(Path(saving.value.path()).read_text(encoding="utf-8"))
    assert [len(each["faces"]) for each in saved] == [10, 1]


def test_two_visitors_at_once_see_their_own_answers(window, quick):
    first, second = visit(window, quick), visit(window, quick)
    upload(first, ("first.png", png(picture(Emotion.HAPPY))))
    upload(second, ("second.png", png(picture(Emotion.ANGRY, Emotion.ANGRY))))
    expect(faces(second)).to_have_count(2)
    expect(faces(first)).to_have_count(1)
    assert "second.png" not in first.content()
    assert "first.png" not in second.content()


PAGES = {
    "analyze": "article.face >> nth=1",
    "live": "text=Start the camera",
    "video": "text=Press Upload, or drop a film here",
    "compare": ".compared article.face >> nth=1",
    "detection-lab": "text=2 faces kept",
    "landmark-lab": "text=How stable this answer is",
    "about": "text=Using it fairly",
}
"""What each page shows once a photo is answered."""
WITHOUT_PHOTO = {"live", "video", "about"}


def answered_page(window, address: str, name: str, **options: object) -> Page:
    """Open a page; where it takes a photo, give one whose answer has remarks and is not sure."""
    page = visit(window, f"{address}/{name}", **options)
    if name not in WITHOUT_PHOTO:
        upload(page, ("small.png", png(picture(Emotion.HAPPY, unsure=[Emotion.SAD], side=24))))
    expect(page.locator(PAGES[name])).to_be_visible()
    return page


def faint_texts(page: Page, root: Path) -> list[str]:
    """Return texts that stay faint once the page's own style is applied."""
    script = (root / "tests" / "browser" / "faint_texts.js").read_text(encoding="utf-8")
    found: list[str] = page.evaluate(script, AA_CONTRAST)
    for _ in range(20):
        if not found:
            break
        page.wait_for_timeout(250)
        found = page.evaluate(script, AA_CONTRAST)
    return found


def switch_to_dark(page: Page) -> None:
    """Let the visitor's system turn dark, and wait for the page to follow."""
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {background} !== light", arg=light)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_readable_in_light_dark_and_on_a_phone(window, quick, root, name):
    furthest = (root / "tests" / "browser" / "furthest_right.js").read_text(encoding="utf-8")
    page = answered_page(window, quick, name)
    assert faint_texts(page, root) == []
    switch_to_dark(page)
    assert faint_texts(page, root) == []
    page.set_viewport_size(PHONE)
    page.wait_for_function(f"({furthest.rstrip().removesuffix(';')})() <= {PHONE['width'] + 1}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_settings_and_the_table_have_enough_contrast_too(window, quick, root, scheme):
    page = visit(window, quick, color_scheme=scheme)
    # Once the page is complete and loading is over; it is not redrawn after that.
    expect(page.get_by_role("button", name="Try the sample photo")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    page.get_by_text("Advanced").click()
    page.get_by_text("More models").click()
    expect(page.get_by_text("emotion train --model resnet50")).to_be_visible()
    assert faint_texts(page, root) == []
    upload(page, ("a.png", png(picture(Emotion.HAPPY))), ("notes.txt", b"hello"))
    expect(faces(page)).to_have_count(1)
    assert faint_texts(page, root) == []


def test_picture_is_described_for_those_who_cannot_see_it(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    shown = page.locator(".st-key-picture img").first
    expect(shown).to_have_attribute("alt", "a.png: 1 face. Face 1: happy, 90\N{NO-BREAK SPACE}%")


def test_page_asks_no_other_computer_for_anything(window, quick):
    requested_urls: list[str] = []
    context = window.new_context()
    page = context.new_page()
    page.on("request", lambda request: requested_urls.append(request.url))
    page.goto(quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    expect(faces(page)).to_have_count(1)
    outside = [
        u for u in requested_urls if not u.startswith((quick, "data:", "blob:", "ws://localhost"))
    ]
    assert not outside


def test_answers_stay_after_a_visit_to_the_about_page(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    expect(faces(page)).to_have_count(1)
    page.get_by_role("link", name="About").click()
    expect(page.get_by_text("expressions, not feelings")).to_be_visible()
    page.get_by_role("link", name="Analyze").click()
    expect(faces(page)).to_have_count(1)
    # Another photo joins those that are still here.
    upload(page, ("b.png", png(picture(Emotion.SAD))))
    expect(page.get_by_text("2 files: 2 faces in 2 photos")).to_be_visible()
    page.get_by_role("button", name="Remove b.png").click()
    expect(page.get_by_text("2 files")).to_have_count(0)
    expect(faces(page)).to_have_count(1)
    page.get_by_role("button", name="Remove all").click()
    expect(faces(page)).to_have_count(0)
