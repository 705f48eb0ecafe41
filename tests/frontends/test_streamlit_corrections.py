"""Answers that a visitor corrects: kept for the visit, saved as a table and as faces to learn."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from core import Box, Emotion
from frontends.cards import MANY
from frontends.streamlit_app import corrections as module
from frontends.streamlit_app.corrections import CANT_TELL, Corrections
from frontends.streamlit_app.photos import Photo
from frontends.streamlit_app.workspace import Workspace
from tests.fakes import FakeAnalyzer, picture, png
from tests.frontends.streamlit_pages import open_page, upload
from training.data.faces import read_faces

HAPPY_SAD = png(picture(Emotion.HAPPY, unsure=[Emotion.SAD]))


@pytest.fixture
def answered():
    photo = Photo.of("=a b.png", HAPPY_SAD)
    return photo, Workspace().answer(photo, FakeAnalyzer())


def test_table_has_photo_box_answer_and_correction(answered):
    photo, analysis = answered
    corrections = Corrections()
    for face, said in zip(analysis.faces, ("fear", CANT_TELL), strict=True):
        corrections.set(photo, analysis, face, said)
    table = corrections.to_csv().decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(table))
    names = ("photo", "x1", "y1", "x2", "y2", "answer", "top", "correction")
    assert [first[name] for name in names] == [
        *("'=a b.png", "10.0", "10.0", "70.0", "70.0", "happy", "happy", "fear")
    ]
    assert (second["answer"], second["top"], second["correction"]) == ("not sure", "sad", CANT_TELL)


def test_labelled_faces_are_what_training_reads(answered, tmp_path):
    photo, analysis = answered
    corrections = Corrections()
    corrections.set(photo, analysis, analysis.faces[0], "fear")
    corrections.set(photo, analysis, analysis.faces[1], CANT_TELL)
    (tmp_path / "faces.zip").write_bytes(corrections.to_zip())
    faces = read_faces([tmp_path / "faces.zip"], None)
    assert [faces.classes[label] for label in faces.labels] == ["fear"]
    np.testing.assert_array_equal(faces.images[0], analysis.faces[0].crop.pixels)
    with zipfile.ZipFile(tmp_path / "faces.zip") as archive:
        assert archive.namelist() == ["fear/a_b.1.png"]


def test_face_has_one_correction_also_if_other_settings_frame_it_differently(answered):
    photo, analysis = answered
    face = analysis.faces[0]
    moved = replace(face, face=replace(face.face, box=Box(14.0, 14.0, 72.0, 72.0)))
    corrections = Corrections()
    corrections.set(photo, analysis, face, "fear")
    assert corrections.find(photo, analysis, moved) == "fear"
    corrections.set(photo, analysis, moved, "sad")
    assert (len(corrections), corrections.find(photo, analysis, face)) == (1, "sad")
    assert corrections.find(photo, analysis, analysis.faces[1]) is None
    corrections.set(photo, analysis, face, None)
    assert len(corrections) == 0


def test_corrections_of_a_visit_are_bounded(answered, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1)
    photo, analysis = answered
    corrections = Corrections()
    for face in analysis.faces:
        corrections.set(photo, analysis, face, "fear")
    assert len(corrections) == 1
    corrections.set(photo, analysis, analysis.faces[0], "sad")  # another label is no more
    assert corrections.find(photo, analysis, analysis.faces[0]) == "sad"


@pytest.fixture
def app(made, catalog):
    return open_page("analyze")


def choices(app):
    return [each for each in app.button_group if each.key and each.key.startswith("correct_")]


def labels(app):
    return [each.label for each in app.get("download_button")]


def test_correction_lasts_from_photo_to_photo_until_it_is_cleared(app):
    upload(app, ("a.png", HAPPY_SAD))
    assert "Corrections (CSV)" not in labels(app)
    choices(app)[0].set_value(CANT_TELL).run()
    assert "Corrections (CSV)" in labels(app)
    assert "Labelled faces (ZIP)" not in labels(app)  # none has a label
    choices(app)[1].set_value("fear").run()
    assert "Labelled faces (ZIP)" in labels(app)
    upload(app, ("a.png", HAPPY_SAD), ("b.png", png(picture(Emotion.ANGRY))))
    assert [each.value for each in choices(app)] == [CANT_TELL, "fear"]
    app.button(key="clear_corrections").click().run()
    assert [each.value for each in choices(app)] == [None, None]
    assert "Corrections (CSV)" not in labels(app)


def test_in_a_group_a_face_is_chosen_first(app):
    upload(app, ("crowd.png", png(picture(*[Emotion.HAPPY] * (MANY + 1)))))
    assert len(choices(app)) == 1
    [faces] = [each for each in app.selectbox if each.label == "Face"]
    faces.set_value(MANY).run()
    assert choices(app)[0].label.startswith(f"Face {MANY + 1}: ")
    choices(app)[0].set_value("sad").run()
    memory = app.session_state["workspace"]
    assert len(memory.corrections) == 1
