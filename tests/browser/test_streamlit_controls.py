"""Using the Streamlit pages: keyboard, buttons, rows, files."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import Emotion
from tests.browser.pages import upload, visit
from tests.browser.serving import SLOWEST_S
from tests.fakes import picture, png

pytestmark = pytest.mark.browser

SLOWEST_MS = SLOWEST_S * 1000
PHONE = {"width": 390, "height": 844}
MOST_TABS = 40


def reach(page: Page, name: str) -> None:
    """Press Tab until the control called ``name`` has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        name_of_focused = page.evaluate(
            "() => { const e = document.activeElement; return"
            " e.getAttribute('aria-label') || e.innerText || e.parentElement.innerText || ''; }"
        )
        if name in name_of_focused:
            return
    pytest.fail(f"{MOST_TABS} times Tab did not reach {name!r}")


def test_first_page_works_without_a_mouse(window, quick):
    page = visit(window, quick)
    expect(page.get_by_role("button", name="Try the sample photo")).to_be_visible()
    reach(page, "Upload photos")
    reach(page, "Try the sample photo")
    page.keyboard.press("Enter")
    expect(page.locator("[data-testid=stImage] img").first).to_be_visible()
    # While Streamlit redraws the page, the old caption can stand beside the new one.
    expect(page.get_by_text("NASA astronaut")).to_have_count(1)


def test_keyboard_reaches_picture_and_toggles(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    image = page.locator(".st-key-picture img").first
    expect(page.get_by_role("button", name="Zoom in")).to_be_visible()
    reach(page, "Zoom in")
    page.keyboard.press("Enter")
    expect(image).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    reach(page, "Landmarks")
    page.keyboard.press("Space")
    expect(page.get_by_role("switch", name="Landmarks")).to_be_checked()


def test_zoomed_picture_covers_nothing_beside_it(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY))))
    image = page.locator(".st-key-picture img").first
    page.get_by_role("button", name="Zoom in").click()
    expect(image).to_have_attribute("style", re.compile(r"clip-path: inset\([^0]"))
    page.get_by_role("button", name="Reset zoom").click()
    expect(image).to_have_attribute("style", re.compile(r"scale\(1\)"))


BOXES = """name => [...document.querySelectorAll(name)].map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, x + width, y + height];
})"""


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_tags_keep_their_size_while_zoomed_and_cover_no_face(window, quick):
    page = visit(window, quick)
    faces = [Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY]
    upload(page, ("a.png", png(picture(*faces, size_wh=(480, 160)))))
    image = page.locator(".st-key-picture img").first
    drawn = image.get_attribute("src")
    zoom = page.get_by_role("button", name="Zoom in")
    heights = set()
    for _ in range(3):
        zoom.click()
        expect(page.locator(".zoom-tag").first).to_be_visible()
        tags, frames = (page.evaluate(BOXES, name) for name in (".zoom-tag", ".zoom-frame"))
        heights |= {round(bottom - top) for _, top, _, bottom in tags}
        assert not [tag for tag in tags for frame in frames if overlap(tag, frame)]
        assert not [a for n, a in enumerate(tags) for b in tags[:n] if overlap(a, b)]
    assert len(heights) == 1
    assert image.get_attribute("src") != drawn
    page.get_by_role("button", name="Reset zoom").click()
    expect(page.locator(".zoom-tags")).to_have_count(0)
    expect(image).to_have_attribute("src", drawn)


def test_archive_of_several_photos_holds_everything(window, quick):
    page = visit(window, quick)
    upload(
        page,
        ("a.png", png(picture(Emotion.HAPPY))),
        ("notes.txt", b"hello"),
        ("b.png", png(picture(Emotion.SAD))),
    )
    with page.expect_download() as saving:
        page.get_by_role("button", name="Everything (ZIP)").click()
    with zipfile.ZipFile(io.BytesIO(Path(saving.value.path()).read_bytes())) as archive:
        names = archive.namelist()
        table = archive.read("emotions.csv").decode("utf-8-sig")
        refused = archive.read("not_answered.csv").decode("utf-8-sig")
    kinds = ("emotions.json", "annotated.png", "blurred.png")
    of_each = [f"{stem}.{kind}" for stem in "ab" for kind in kinds]
    assert names == ["emotions.csv", "not_answered.csv", *of_each]
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == [
        "a.png",
        "notes.txt",
        "b.png",
    ]
    assert refused.splitlines()[1].startswith('notes.txt,"This is a text file, not a picture."')


def test_picture_stays_visible_while_its_cards_scroll(window, quick):
    page = visit(window, quick)
    upload(page, ("crowd.png", png(picture(*Emotion, *Emotion))))
    expect(page.locator("article.face")).to_have_count(14)
    page.locator("article.face").last.scroll_into_view_if_needed()
    expect(page.locator(".st-key-picture img").first).to_be_in_viewport()


def test_phone_says_where_pages_and_settings_are(window, quick):
    page = visit(window, quick, viewport=PHONE)
    button = page.get_by_test_id("stExpandSidebarButton")
    expect(button).to_be_visible()
    # The page's style is applied a moment after the button appears.
    page.wait_for_function(
        "button => getComputedStyle(button, '::after').content === '\"Pages and settings\"'",
        arg=button.element_handle(),
    )
    button.click()
    expect(page.get_by_role("link", name="Compare")).to_be_visible()
    expect(page.get_by_text("What the answer is about")).to_be_visible()


def test_threshold_slider_redraws_the_frames_by_keyboard(window, quick):
    page = visit(window, f"{quick}/detection-lab")
    upload(page, ("a.png", png(picture(Emotion.HAPPY, Emotion.SAD))))
    caption = page.get_by_test_id("stImageCaption")
    expect(caption).to_contain_text("2 faces kept")
    shown = page.locator(".st-key-picture img").first
    before = shown.get_attribute("src")
    page.get_by_role("slider").press("End")
    # The drawn faces have a score of 0.99.
    expect(caption).to_contain_text("0 faces kept, 2 left out (dashed)")
    assert shown.get_attribute("src") != before
    page.get_by_role("slider").press("Home")
    expect(caption).to_contain_text("2 faces kept")


def test_next_page_shows_where_the_photos_come_from(window, quick):
    page = visit(window, quick)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare the models")).to_be_visible()
    expect(page.get_by_role("radio", name="Upload photos")).to_be_checked()
