"""The files that a visitor saves: archive, tables and report."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
from PIL import Image

from core import Emotion, read_image
from frontends.streamlit_app.downloads import csv_of_all, refusals_file, report_file, zip_file
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Refusal, Workspace
from tests.fakes import FakeAnalyzer, picture, png

NO_PICTURE = Refusal("This is a text file, not a picture.", "Choose a photo.", "UnreadableImage")


def rows_of(table):
    text = table.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_archive_says_why_photos_were_refused_and_what_to_do():
    memory = Workspace()
    good, bad = Photo.of("a.png", png(picture(Emotion.HAPPY))), Photo.of("notes, old.txt", b"hello")
    analysis = memory.answer(good, FakeAnalyzer())
    answers = [(bad, NO_PICTURE), (good, analysis)]
    with zipfile.ZipFile(io.BytesIO(zip_file(answers, memory))) as archive:
        result = rows_of(archive.read("not_answered.csv"))
        assert "a.emotions.json" in archive.namelist()
        assert archive.read("emotions.csv") == csv_of_all(answers)
    assert result == [
        {"name": "notes, old.txt", "reason": NO_PICTURE.message, "what to do": NO_PICTURE.hint}
    ]


def test_table_of_several_photos_has_a_row_for_each_that_could_not_be_read():
    memory = Workspace()
    photos = [
        Photo.of("notes.txt", b"hello"),
        Photo.of("a.png", png(picture(Emotion.HAPPY))),
        Photo.of("none.png", png(picture())),
    ]
    table = rows_of(csv_of_all([(each, memory.answer(each, FakeAnalyzer())) for each in photos]))
    assert [(row["path"], row["status"], row["answer"]) for row in table] == [
        ("notes.txt", "failed", ""),
        ("a.png", "face", "happy"),
        ("none.png", "no face", ""),
    ]
    assert (table[0]["error"], bool(table[0]["message"])) == ("UnreadableImage", True)
    assert len({row["run"] for row in table}) == 1


def test_archive_without_refusals_has_no_table_of_refusals():
    memory = Workspace()
    photo = Photo.of("a.png", png(picture(Emotion.HAPPY)))
    answered = [(photo, memory.answer(photo, FakeAnalyzer()))]
    with zipfile.ZipFile(io.BytesIO(zip_file(answered, memory))) as archive:
        assert "not_answered.csv" not in archive.namelist()


def test_name_of_a_refused_photo_is_never_a_formula():
    refused = [(Photo.of(name, b""), NO_PICTURE) for name in ("=1+1.png", "\udce9.png")]
    assert [row["name"] for row in rows_of(refusals_file(refused))] == ["'=1+1.png", "\\udce9.png"]


def jpeg(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def test_archive_has_a_jpeg_of_a_jpeg_whatever_its_name_and_a_png_of_others():
    memory = Workspace()
    photos = [
        Photo.of("beach.png", jpeg(picture(Emotion.HAPPY))),
        Photo.of("alps.jpg", png(picture(Emotion.SAD))),
    ]
    answers = [(photo, memory.answer(photo, FakeAnalyzer())) for photo in photos]
    with zipfile.ZipFile(io.BytesIO(zip_file(answers, memory))) as archive:
        pictures = {name: archive.read(name) for name in archive.namelist() if name[0] in "ab"}
    starts = {name: data[:3] for name, data in pictures.items() if "json" not in name}
    assert starts == {
        "beach.annotated.jpg": b"\xff\xd8\xff",
        "beach.blurred.jpg": b"\xff\xd8\xff",
        "alps.annotated.png": b"\x89PN",
        "alps.blurred.png": b"\x89PN",
    }
    shown = memory.annotate(*answers[0]).pixels.astype(int)
    saved = read_image(pictures["beach.annotated.jpg"]).pixels
    assert np.abs(shown - saved).mean() < 2


def test_report_has_every_photo_with_its_faces_and_why_others_were_not_read():
    memory = Workspace()
    photos = [
        Photo.of("a.png", png(picture(Emotion.HAPPY, unsure=[Emotion.SAD]))),
        Photo.of("a.png", png(picture())),
        Photo.of("<b>\u202enotes.txt", b"hello"),
    ]
    answers = [(each, memory.answer(each, FakeAnalyzer())) for each in photos]
    page = report_file(answers, memory.annotate).decode()
    assert "<title>Emotions of 3 files</title>" in page
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "<li>Happy. Nearly everyone" in page or "<li>Happy. About" in page
    assert "<li>Not sure. People would disagree" in page
    assert "No face was found." in page
    assert "Not read: This is a text file" in page
    assert "&lt;b&gt;\\u202enotes.txt" in page
    assert "By folder" not in page
