"""A photo with many faces: tiles and faces that mark each other, at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core import Emotion
from tests.browser.pages import upload, visit
from tests.fakes import picture, png

pytestmark = pytest.mark.browser

CROWD = png(picture(*[*Emotion] * 7, *[Emotion.HAPPY] * 6, size_wh=(1100, 500), side=60))
"""55 faces of 60 px, 70 px apart, 15 in a row."""
SETTLED_MS = 1000
"""Time in which the page follows a new width."""
WIDTHS = (390, 768, 820, 1024, 1280, 1920)


def show_crowd(window, quick, **options) -> Page:
    page = visit(window, quick, **options)
    upload(page, ("crowd.png", CROWD))
    expect(page.locator("article.tile")).to_have_count(55)
    picture_shown = page.locator(".st-key-picture img").first
    expect(picture_shown).to_have_js_property("naturalWidth", 1100)
    expect(picture_shown).to_have_attribute("tabindex", "0")
    return page


def point_at_face(page: Page, number: int) -> None:
    """Move the pointer to the middle of a face in the picture."""
    shown = page.locator(".st-key-picture img").first.bounding_box()
    across, down = (number - 1) % 15, (number - 1) // 15
    x, y = (10 + 70 * across + 30) / 1100, (10 + 70 * down + 30) / 500
    page.mouse.move(shown["x"] + x * shown["width"], shown["y"] + y * shown["height"])


def test_pointing_at_a_tile_marks_its_face_and_the_other_way_round(window, quick):
    page = show_crowd(window, quick)
    tile = page.locator("article.tile").nth(2)
    number = int(tile.get_attribute("data-face"))
    tile.hover()
    mark = page.locator(".face-mark")
    expect(mark).to_have_count(1)
    left, top, width, height = map(float, tile.get_attribute("data-box").split())
    shown = page.locator(".st-key-picture img").first.bounding_box()
    found = mark.bounding_box()
    assert found["x"] == pytest.approx(shown["x"] + left / 100 * shown["width"], abs=1.5)
    assert found["y"] == pytest.approx(shown["y"] + top / 100 * shown["height"], abs=1.5)
    assert found["width"] == pytest.approx(width / 100 * shown["width"], abs=1.5)
    assert found["height"] == pytest.approx(height / 100 * shown["height"], abs=1.5)
    point_at_face(page, 20)
    expect(page.locator("article.marked")).to_have_count(1)
    other = page.locator("article.marked").get_attribute("data-face")
    assert int(other) != number
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(f"article[data-face='{other}'] .face-words")).to_be_visible()
    page.mouse.move(1, 1)
    expect(mark).to_have_count(0)


def test_tile_is_opened_by_the_keyboard_and_marks_its_face(window, quick):
    page = show_crowd(window, quick)
    summary = page.locator("article.tile > details > summary").first
    summary.focus()
    expect(page.locator(".face-mark")).to_have_count(1)
    summary.press("Enter")
    expect(page.locator("article.tile .face-words").first).to_be_visible()


def test_nothing_overlaps_at_any_width(window, quick):
    page = show_crowd(window, quick)
    page.locator("article.tile > details > summary").first.click()
    bar = page.locator("article.tile .track").first
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(SETTLED_MS)
        assert bar.bounding_box()["width"] > 30
        assert find_overlaps(page) == [], width
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(SETTLED_MS)
    assert page.evaluate("document.querySelector('.stMain').scrollHeight") < 3300


@pytest.mark.parametrize("width", [1024, 1280])
def test_group_among_several_photos_scrolls_as_a_whole(window, quick, width):
    page = visit(window, quick, viewport={"width": width, "height": 900})
    upload(page, ("crowd.png", CROWD), ("other.png", png(picture(Emotion.SAD))))
    expect(page.locator("article.tile")).to_have_count(55)
    page.locator("article.tile").last.scroll_into_view_if_needed()
    page.wait_for_timeout(SETTLED_MS)
    turn = page.get_by_role("button", name="Turn").bounding_box()
    group = page.locator(".group-sentence").last.bounding_box()
    assert turn["y"] + turn["height"] < group["y"] or turn["x"] + turn["width"] < group["x"]


def find_overlaps(page: Page) -> list[str]:
    """Return which parts of the page overlap."""
    found: list[str] = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll(
            'article.face, .group-sentence, .st-key-picture img, .stDownloadButton')]
            .map((each) => [each, each.getBoundingClientRect()]);
          const words = [...document.querySelectorAll('article.tile summary > *')]
            .map((each) => [each, each.getBoundingClientRect()]);
          const meet = (list) => list.flatMap(([one, a], index) => list.slice(index + 1)
            .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1
              && a.top < b.bottom - 1 && b.top < a.bottom - 1)
            .map(([other]) => `${one.outerHTML.slice(0, 60)} and ${other.outerHTML.slice(0, 60)}`));
          return [...meet(boxes), ...meet(words)];
        }"""
    )
    return found
