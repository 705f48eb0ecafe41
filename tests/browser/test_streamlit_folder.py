"""The page Folder, with a run that takes a few seconds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core import Emotion
from tests.browser.pages import visit
from tests.browser.serving import streamlit
from tests.core.batch.faulty_analyzers import MARK
from tests.fakes import picture, png

pytestmark = pytest.mark.browser

PHOTOS = 40


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder whose run waits at its last photo until the file go exists."""
    monkeypatch.setenv("PHOTO_EMOTION_STATE", str(tmp_path / "state"))
    monkeypatch.setenv(MARK, str(tmp_path / "go"))
    folder = tmp_path / "all" / "photos"
    folder.mkdir(parents=True)
    for number in range(PHOTOS - 1):
        (folder / f"{number:02d}.png").write_bytes(png(picture(Emotion.HAPPY)))
    (folder / "held.png").write_bytes(png(picture(Emotion.HAPPY)))
    return folder


def expect_progress(page):
    expect(page.get_by_text(re.compile(rf"^[1-9]\d* of {PHOTOS} files read"))).to_be_visible()


def test_folder_run_outlives_a_reload_and_a_restart_of_the_server(window, root, photos, tmp_path):
    server = root / "tests" / "browser" / "folder_server.py"
    table = photos.with_name("photos-emotions") / "emotions.csv"
    with streamlit(server) as address:
        page = visit(window, f"{address}/folder")
        path = page.get_by_label("Folder with the photos")
        path.fill(str(photos.parent))
        path.press("Enter")
        page.locator(".st-key-subfolders").get_by_role("button").click()
        expect(path).to_have_value(str(photos))
        page.get_by_role("button", name="Count the photos").click()
        expect(page.get_by_text(f"{PHOTOS} photos")).to_be_visible()
        assert not table.parent.exists()  # nothing is written before the start
        page.get_by_role("button", name="Start").click()
        expect_progress(page)
        page.reload()
        expect_progress(page)
        expect_progress(visit(window, f"{address}/folder"))  # in another tab
    assert not table.exists()
    with streamlit(server) as address:
        page = visit(window, f"{address}/folder")
        expect(page.get_by_text(re.compile(r"results of \d+ files are kept"))).to_be_visible()
        (tmp_path / "go").touch()
        page.get_by_role("button", name="Resume").click()
        expect(
            page.get_by_text(f"{PHOTOS} files: {PHOTOS} faces in {PHOTOS} photos.")
        ).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Table (CSV)").click()
        assert saved.value.path().read_bytes() == table.read_bytes()
        title = page.frame_locator("iframe").get_by_role("heading", name="Emotions of")
        expect(title).to_have_text(f"Emotions of {PHOTOS} files")


def test_page_folder_is_not_there_in_a_server_that_nobody_started_by_hand(window, quick):
    page = visit(window, f"{quick}/folder")
    expect(page.get_by_role("link", name="Analyze")).to_be_visible()
    expect(page.get_by_role("link", name="Folder")).to_have_count(0)
    expect(page.get_by_label("Folder with the photos")).to_have_count(0)
