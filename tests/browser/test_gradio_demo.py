"""The Gradio page in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core import MAX_FILE_BYTES, Emotion
from tests.browser.pages import close_tabs, open_tab
from tests.browser.serving import SLOWEST_S, browser, gradio
from tests.core.reading.media_files import avif, heic
from tests.fakes import picture, png

pytestmark = pytest.mark.browser

SLOWEST_MS = SLOWEST_S * 1000
AA_CONTRAST = 4.5
PHONE = {"width": 390, "height": 844}
CROWD = picture(*(list(Emotion) + list(Emotion)[:3]), unsure=[Emotion.SAD])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server whose models answer at once."""
    expect.set_options(timeout=SLOWEST_MS)
    with gradio("tests.frontends.fake_demo") as served:
        yield served


@pytest.fixture(scope="module")
def camera_window(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Run a browser whose camera shows a happy face."""
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    frame = cv2.cvtColor(picture(Emotion.HAPPY, side=120), cv2.COLOR_RGB2YUV_I420).tobytes()
    film.write_bytes(b"YUV4MPEG2 W480 H360 F15:1 Ip A1:1 C420jpeg\n" + 2 * (b"FRAME\n" + frame))
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with browser(chromium, *camera, f"--use-file-for-fake-video-capture={film}") as running:
        yield running


@pytest.fixture
def window(camera_window: Browser) -> Iterator[Browser]:
    """The browser; the tabs of a test are closed after it."""
    yield camera_window
    close_tabs(camera_window)


def visit(window: Browser, address: str, **options: object) -> Page:
    page = open_tab(window, **options)
    page.goto(address)
    expect(page.get_by_role("heading", name="Photo Emotion")).to_be_visible()
    return page


def upload(page: Page, name: str, data: bytes, place: int = 0) -> None:
    page.locator("input[type=file]").nth(place).set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data}]
    )


def faces(page: Page):
    return page.locator("#cards article.face")


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "photo.heif", "photo.AVIF"])
def test_phone_photo_is_taken_even_without_a_type(window, address, tmp_path, name):
    make = avif if name.endswith("AVIF") else partial(heic, chroma="444")
    (tmp_path / name).write_bytes(make(Image.fromarray(picture(Emotion.HAPPY)), quality=100))
    page = visit(window, address)
    assert ".heic" in page.locator("input[type=file]").first.get_attribute("accept")
    page.locator("input[type=file]").first.set_input_files(tmp_path / name)
    expect(faces(page)).to_have_count(1)


def test_file_over_the_limit_is_named_in_a_sentence(window, address, tmp_path):
    with (tmp_path / "big.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    page = visit(window, address)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "big.jpg")
    expect(
        page.get_by_text("big.jpg is too large: files of at most 50 MB are read.")
    ).to_be_visible()


def test_uploaded_photo_is_answered_with_picture_cards_and_document(window, address):
    requested_urls: list[str] = []
    page = visit(window, address)
    page.on("request", lambda request: requested_urls.append(request.url))
    data = png(picture(Emotion.HAPPY, Emotion.SAD))
    upload(page, "two people.png", data)
    expect(faces(page)).to_have_count(2)
    described = "two people.png: 2 faces. Face 1: happy, 90 %. Face 2: sad, 90 %"
    expect(page.get_by_alt_text(described)).to_be_visible()
    page.get_by_role("button", name="Data (JSON)").click()
    # The picture has one too; the document's appears once its part is open.
    downloads = page.get_by_role("button", name="Download")
    expect(downloads).to_have_count(2)
    with page.expect_download() as saving:
        downloads.last.click()
    saved = Path(saving.value.path()).read_text(encoding="utf-8")
    answer = json.loads(saved)
    assert answer["name"] == "two people.png"
    assert [face["top"] for face in answer["faces"]] == ["happy", "sad"]
    assert not [url for url in requested_urls if not url.startswith((address, "data:", "blob:"))]


def test_pointing_at_a_card_marks_its_face_and_the_other_way_round(window, address):
    page = visit(window, address)
    upload(page, "two people.png", png(picture(Emotion.HAPPY, Emotion.SAD)))
    mark, second = page.locator(".face-mark"), faces(page).nth(1)
    second.hover()
    expect(mark).to_have_count(1)
    page.mouse.move(1, 1)
    expect(mark).to_have_count(0)
    page.locator("#faces img").scroll_into_view_if_needed()
    second.hover()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("article.marked")).to_have_count(1)
    expect(second).to_have_class(re.compile("marked"))


def test_phone_shows_the_api_and_a_text_file_is_named_by_the_reader(window, address):
    page = visit(window, address, viewport=PHONE)
    expect(page.get_by_role("button", name="Use via API")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"}]
    )
    expect(page.get_by_text("This is a text file, not a picture.")).to_be_visible()


def test_settings_change_the_answer(window, address):
    page = visit(window, address)
    upload(page, "crowd.png", png(CROWD))
    expect(faces(page)).to_have_count(11)
    unsure = page.locator("#cards article.face", has_text="Not sure")
    expect(unsure).to_have_count(1)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Smallest share for an answer").click()
    page.get_by_role("option", name="30 %").click()
    expect(unsure).to_have_count(0)


def test_chosen_reading_changes_the_words_and_keeps_the_model(window, address):
    page = visit(window, address)
    upload(page, "a.png", png(picture(Emotion.HAPPY)))
    words = page.locator("#cards .face-words")
    expect(words).to_have_text("About 9 of 10 people would say happy.")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("ResNet50").check()
    page.get_by_label("FER-2013's label").check()
    expect(words).to_have_text("FER-2013's label: happy, 90 % probable.")
    expect(page.get_by_label("ResNet50")).to_be_checked()


def test_wrong_file_and_a_photo_without_a_face_are_explained(window, address):
    page = visit(window, address)
    upload(page, "notes.png", b"hello")
    alert = page.locator("#cards").get_by_role("alert")
    expect(alert).to_contain_text("This is a text file, not a picture.")
    expect(alert).not_to_contain_text(re.compile("Traceback|/tmp"))
    page = visit(window, address)
    upload(page, "nobody.png", png(picture()))
    expect(page.locator("#cards")).to_contain_text("No face was found")


def test_two_visitors_at_once_see_their_own_answers(window, address):
    first, second = visit(window, address), visit(window, address)
    upload(first, "first.png", png(picture(Emotion.HAPPY)))
    upload(second, "second.png", png(picture(Emotion.ANGRY, Emotion.ANGRY)))
    expect(faces(second)).to_have_count(2)
    expect(faces(first)).to_have_count(1)
    assert "second.png" not in first.content()
    assert "first.png" not in second.content()


def test_every_model_answers_the_same_photo(window, address):
    page = visit(window, address)
    page.get_by_role("tab", name="Compare").click()
    upload(page, "a.png", png(picture(Emotion.SURPRISE)), place=1)
    cards = page.locator(".compared article.face")
    expect(cards).to_have_count(3)
    expect(cards.nth(1)).to_contain_text("ResNet50")
    expect(page.get_by_role("region", name="FER-2013's label")).to_be_visible()


def test_face_before_the_camera_is_framed_until_another_tab_is_shown(window, address):
    page = visit(window, address)
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(".frame span")).to_have_text(re.compile(r"1 · Happy \d+ %"))
    expect(page.locator(".pace")).to_have_text(re.compile(r"[\d.]+ answers a second, \d+ ms"))
    page.get_by_role("tab", name="Photo").click()
    expect(page.locator(".frame")).to_have_count(0)
    page.get_by_role("tab", name="Live").click()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()


def test_whole_ethics_page_can_be_opened_even_on_a_phone(window, address):
    page = visit(window, address, viewport=PHONE)
    page.get_by_role("tab", name="About").click()
    expect(page.get_by_text("expressions, not feelings").first).to_be_visible()
    page.get_by_role("button", name="Consent, known errors").click()
    expect(page.get_by_text("EU AI Act")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_page_fits_and_every_text_has_enough_contrast(window, address, root, scheme):
    faint = (root / "tests" / "browser" / "faint_texts.js").read_text(encoding="utf-8")
    page = visit(window, address, viewport=PHONE, color_scheme=scheme)
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Smallest share for an answer")).to_be_visible()
    assert page.evaluate(faint, AA_CONTRAST) == []
    upload(page, "small.png", png(picture(Emotion.HAPPY, unsure=[Emotion.SAD], side=24)))
    expect(faces(page)).to_have_count(2)
    # Gradio fades an answer in.
    page.wait_for_function(f"({faint.rstrip().removesuffix(';')})({AA_CONTRAST}).length === 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for tab, there in (
        ("Live", "Start the camera"),
        ("Video", "The film appears here with its faces marked, and a timeline for each face."),
        ("Compare", "How good each model is"),
        ("About", "Using it fairly"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_text(there, exact=True).first).to_be_visible()
        page.wait_for_function(f"({faint.rstrip().removesuffix(';')})({AA_CONTRAST}).length === 0")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        expect(page.get_by_role("tab")).to_have_count(5)


def test_every_control_is_reachable_and_has_a_name(window, address):
    page = visit(window, address)
    for tab in ("About", "Compare", "Live", "Photo"):
        page.get_by_role("tab", name=tab).click()
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, input:not([type=file]), a, video')]"
            ".filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.title"
            " || e.textContent.trim() || e.labels?.length"
            " || e.querySelector('img[alt]:not([alt=\"\"])')"
            ")).map(e => e.outerHTML)"
        )
        assert nameless == []
    page.get_by_role("button", name="Portrait of an astronaut").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("Your photo").first).to_be_visible()


def test_turn_is_for_one_photo(window, address):
    page = visit(window, address)
    upload(page, "a.png", png(picture(Emotion.HAPPY, side=120)))
    expect(faces(page)).to_have_count(1)
    upright = page.get_by_role("radio", name="Automatic")
    page.get_by_role("radio", name="180°").check()
    expect(page.locator("#cards article.face[aria-label*='Happy']")).to_have_count(1)
    expect(upright).not_to_be_checked()
    page.get_by_role("button", name="Remove Image").click()
    expect(faces(page)).to_have_count(0)
    upload(page, "b.png", png(picture(Emotion.SAD, side=120)))
    expect(page.locator("#cards article.face[aria-label*='Sad']")).to_have_count(1)
    expect(upright).to_be_checked()


def test_no_word_on_a_tile_is_cut_off(window, address):
    page = visit(window, address)
    upload(page, "crowd.png", png(picture(*[*Emotion] * 6, size_wh=(1100, 500), side=60)))
    expect(page.locator("#cards article.tile")).to_have_count(42)
    for width in (390, 768, 1024, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        cut = page.locator("#cards article.tile summary").evaluate_all(
            "tiles => tiles.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.innerText)"
        )
        assert cut == [], width
