"""What the demo offers to save, several photos at once, and the photo that Compare takes over."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from core import Emotion
from frontends.analyzers import Analyzers
from frontends.gradio_app import compare_tab
from frontends.gradio_app.answering import make_page_handler
from frontends.gradio_app.photo_upload import PhotoUpload, UploadedPhoto
from frontends.gradio_app.several_fields import MAX_PHOTOS, make_several_handler
from tests.fakes import FakeAnalyzer, picture, png


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """Return a function that stores a file as Gradio does."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))

    def store(name, data):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.blob"
        path.write_bytes(data)
        return UploadedPhoto(path, name)

    return store


def read_rows(file):
    with Path(file).open(encoding="utf-8-sig", newline="") as table:
        return list(csv.DictReader(table))


def test_blurred_picture_and_table_can_be_saved(upload):
    analyzer = FakeAnalyzer()
    photo = upload("my <photo>.png", png(picture(Emotion.HAPPY)))
    *_, blurred, table, about = make_page_handler(Analyzers(analyzer))(photo, "mobilenet_v2")
    assert [Path(each["value"]).name for each in (blurred, table)] == [
        "my_photo.blurred.jpg",
        "my_photo.emotions.csv",
    ]
    with Image.open(blurred["value"]) as saved:
        assert saved.format == "JPEG"
    assert [row["answer"] for row in read_rows(table["value"])] == ["happy"]
    assert about["visible"]


def test_photo_without_a_face_offers_no_blurred_picture(upload):
    photo = upload("empty.png", png(picture()))
    *_, blurred, table, about = make_page_handler(Analyzers(FakeAnalyzer()))(photo, "resnet50")
    assert (blurred["visible"], table["visible"], about["visible"]) == (False, True, False)


def test_several_photos_make_one_table_that_says_why_one_was_refused(upload):
    photos = [
        upload("a.png", png(picture(Emotion.HAPPY, Emotion.SAD))),
        upload("<b>.png", b"hello"),
    ]
    html, table = make_several_handler(Analyzers(FakeAnalyzer()))(photos, "mobilenet_v2")
    assert "Face 1: happy, 90 %. Face 2: sad, 90 %" in html.replace("\u00a0", " ")
    assert "This is a text file, not a picture." in html
    assert "&lt;b&gt;.png" in html
    rows = read_rows(table["value"])
    assert [(row["path"], row["status"]) for row in rows] == [
        ("a.png", "face"),
        ("a.png", "face"),
        ("<b>.png", "failed"),
    ]


def test_several_photos_are_bounded(upload):
    photos = [upload("a.png", png(picture()))] * (MAX_PHOTOS + 2)
    html, table = make_several_handler(Analyzers(FakeAnalyzer()))(photos, "mobilenet_v2")
    assert len(read_rows(table["value"])) == MAX_PHOTOS
    assert f"2 more photos were left out. At most {MAX_PHOTOS} fit." in html


def test_compare_takes_over_each_photo_of_the_first_tab_once(upload):
    photo, other = (upload(name, png(picture())) for name in ("a.png", "b.png"))
    assert compare_tab.take_over(photo, None) == (photo, photo)
    assert compare_tab.take_over(other, photo) == (other, other)
    for newest in (None, photo):
        assert all("value" not in each for each in compare_tab.take_over(newest, photo))


def test_photo_taken_over_keeps_its_name(upload):
    photo = upload("a b.png", png(picture()))
    shown = PhotoUpload().postprocess(photo)
    assert (shown.path, shown.orig_name) == (str(photo.path), "a b.png")
