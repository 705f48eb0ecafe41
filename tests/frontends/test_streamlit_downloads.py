"""What an archive of several photos says about those that were refused."""

from __future__ import annotations

import csv
import io
import zipfile

from core import Emotion
from frontends.streamlit_app.downloads import csv_of_all, refusals_file, zip_file
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
