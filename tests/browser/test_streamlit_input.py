"""Ways to the photos: keyboard, clipboard, folders; and a menu that stays in its place."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

from core import Emotion
from tests.browser.pages import upload, visit
from tests.fakes import picture, png

pytestmark = pytest.mark.browser


def test_upload_is_reached_within_three_keys_and_its_focus_is_visible(window, quick):
    page = visit(window, quick)
    expect(page.get_by_role("button", name="Try the sample photo")).to_be_visible()
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_attached()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("!!document.activeElement.closest('[data-testid=stFileUploader]')")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_pasted_picture_is_answered(window, quick):
    page = visit(window, quick)
    expect(page.get_by_role("button", name="Try the sample photo")).to_be_visible()
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], 'pasted.png', { type: 'image/png' }));
          document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
        }""",
        base64.b64encode(png(picture(Emotion.HAPPY))).decode(),
    )
    expect(page.locator("article.face")).to_have_count(1)
    expect(page.get_by_text("pasted.png: 1 face")).to_be_visible()


def test_dropped_folder_is_announced(window, quick):
    page = visit(window, quick)
    expect(page.get_by_role("button", name="Try the sample photo")).to_be_visible()
    # Scripts cannot make a real folder to drop.
    page.evaluate(
        """() => {
          const event = new Event('drop', { bubbles: true });
          const entry = { isDirectory: true, name: 'Reunion' };
          event.dataTransfer = { items: [{ webkitGetAsEntry: () => entry }], files: [], types: [] };
          document.querySelector('[data-testid=stFileUploader] button').dispatchEvent(event);
        }"""
    )
    notice = page.get_by_role("status").filter(has_text="Reunion")
    expect(notice).to_contain_text("emotion batch")


def test_menu_stays_where_it_is_from_page_to_page(window, quick):
    page = visit(window, quick)
    link = page.get_by_role("link", name="Analyze")
    before = link.bounding_box()
    page.get_by_role("link", name="About").click()
    expect(page.get_by_text("expressions, not feelings")).to_be_visible()
    page.wait_for_timeout(1000)
    assert link.bounding_box()["x"] == pytest.approx(before["x"], abs=2)


def test_clicked_row_shows_its_photo_and_keys_go_on(window, quick):
    page = visit(window, quick)
    upload(
        page,
        ("a.png", png(picture(Emotion.HAPPY))),
        ("b.png", png(picture(Emotion.SAD))),
        ("c.png", png(picture(Emotion.ANGRY))),
    )
    face = page.locator("article.face")
    expect(face).to_have_attribute("aria-label", "Face 1: Happy, 90 %")
    table = page.locator("[data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    # The middle of the second row. The table is a picture without elements to click.
    shown = table.bounding_box()
    page.mouse.click(shown["x"] + 150, shown["y"] + 36 + 44 + 20)
    expect(face).to_have_attribute("aria-label", "Face 1: Sad, 90 %")
    page.locator("h1").first.click()
    page.keyboard.press("n")
    expect(face).to_have_attribute("aria-label", "Face 1: Angry, 90 %")
    page.keyboard.press("p")
    expect(face).to_have_attribute("aria-label", "Face 1: Sad, 90 %")
