"""The page Video in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core import Emotion
from tests.browser.pages import upload, visit
from tests.browser.test_streamlit_upload import PHONE, faces, faint_texts, switch_to_dark
from tests.fakes import picture, png
from tests.frontends.film_visits import write_film

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two seconds; the second face is seen in the second one."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", frames=50, rate=25)


def give_film(page: Page, film) -> None:
    page.locator("input[type=file]").first.set_input_files(film)


def read_moment(page: Page) -> float:
    return page.locator(".film video").evaluate("player => player.currentTime")


def test_click_on_the_timeline_jumps_to_the_moment_in_the_player(window, quick, film):
    page = visit(window, f"{quick}/video")
    give_film(page, film)
    player, tracks = page.locator(".film video"), page.locator(".film .track")
    expect(tracks).to_have_count(2)
    expect(player).to_have_js_property("duration", 2)
    box = tracks.nth(1).bounding_box()
    tracks.nth(1).click(position={"x": 0.75 * box["width"], "y": 10})
    assert read_moment(page) == pytest.approx(1.5, abs=0.05)
    expect(tracks.nth(1)).to_have_attribute("aria-valuetext", "1.5 s: Sad")
    tracks.nth(1).press("ArrowLeft")
    assert read_moment(page) == pytest.approx(1.0, abs=0.05)
    tracks.nth(0).press("Home")
    assert read_moment(page) == 0
    expect(tracks.nth(1)).to_have_attribute("aria-valuetext", "0.0 s: not seen")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Table (CSV)").click()
    assert saving.value.suggested_filename == "film.emotions.csv"


def test_answer_outlives_another_page_and_a_reload_and_photos_do_not_wait(window, quick, film):
    page, other = visit(window, f"{quick}/video"), visit(window, quick)
    give_film(page, film)
    upload(other, ("a.png", png(picture(Emotion.HAPPY))))
    expect(faces(other)).to_have_count(1)
    tracks = page.locator(".film .track")
    expect(tracks).to_have_count(2)
    page.get_by_role("link", name="About").click()
    expect(page.get_by_text("Using it fairly")).to_be_visible()
    page.get_by_role("link", name="Video").click()
    expect(tracks).to_have_count(2)
    page.reload()
    expect(tracks).to_have_count(2)
    expect(page.locator(".film video")).to_have_js_property("duration", 2)


def test_answer_is_readable_in_light_dark_and_on_a_phone(window, quick, root, film):
    page = visit(window, f"{quick}/video")
    give_film(page, film)
    expect(page.locator(".film .track")).to_have_count(2)
    assert faint_texts(page, root) == []
    switch_to_dark(page)
    assert faint_texts(page, root) == []
    page.set_viewport_size(PHONE)
    furthest = (root / "tests" / "browser" / "furthest_right.js").read_text(encoding="utf-8")
    page.wait_for_function(f"({furthest.rstrip().removesuffix(';')})() <= {PHONE['width'] + 1}")
    expect(page.get_by_role("link", name="Plot (PNG)")).to_be_visible()
