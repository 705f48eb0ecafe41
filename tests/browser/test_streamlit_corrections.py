"""Corrections made and saved in a browser."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from playwright.sync_api import expect

from core import Emotion
from tests.browser.pages import upload, visit
from tests.fakes import picture, png

pytestmark = pytest.mark.browser


def save(page, label):
    with page.expect_download() as saving:
        page.get_by_role("button", name=label).click()
    return saving.value.path().read_bytes()


def test_corrected_faces_are_saved_as_a_table_and_as_faces_to_learn(window, quick):
    page = visit(window, quick)
    upload(page, ("a.png", png(picture(Emotion.HAPPY, Emotion.SAD))))
    page.get_by_text("Correct an answer").click()
    face = page.get_by_role("radiogroup", name="Face 1: Happy")
    other = page.get_by_role("radiogroup", name="Face 2: Sad")
    face.get_by_role("radio", name="Fear").click()
    expect(page.get_by_text("1 labelled face")).to_be_visible()
    other.get_by_role("radio", name="Can't tell").click()
    expect(page.get_by_text("1 labelled face, 1 you can't tell")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(save(page, "Corrections (CSV)").decode("utf-8-sig"))))
    assert [(row["photo"], row["answer"], row["correction"]) for row in rows] == [
        ("a.png", "happy", "fear"),
        ("a.png", "sad", "can't tell"),
    ]
    with zipfile.ZipFile(io.BytesIO(save(page, "Labelled faces (ZIP)"))) as archive:
        assert archive.namelist() == ["fear/a.1.png"]
    face.get_by_role("radio", name="Fear").click()  # again, to remove it
    expect(page.get_by_text("Your corrections: 1 you can't tell")).to_be_visible()
