"""The table that `emotion analyze` prints for a person."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from cli import main
from core import EmotionScores
from tests.fakes import FakeAnalyzer

pytestmark = pytest.mark.usefixtures("configs")


def analyze(*arguments):
    return CliRunner().invoke(main.app, ["analyze", *map(str, arguments)])


def test_table_lists_every_face(photos):
    result = analyze(photos["two.png"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Photo", "Face", "Emotion", "People", "Next", "Remarks"]
    assert lines[1][:6] == ["two.png", "1", "sad", "9", "of", "10"]
    assert lines[2][:9] == ["2", "not", "sure", "(fear?)", "3", "of", "10", "1", "angry"]
    assert result.stdout.splitlines()[3:] == [
        "",
        "People: how many of ten people would say so (estimated).",
        "not sure: fewer than 40 % of people would say so.",
    ]
    assert result.stderr == ""


def test_table_of_the_label_reading_has_probabilities(photos, configs):
    result = analyze(photos["two.png"], "--reading", "fer2013")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Photo", "Face", "Emotion", "Probability", "Next", "Remarks"]
    assert lines[1][:8] == ["two.png", "1", "sad", "90", "%", "angry", "2", "%"]
    assert lines[2][:9] == ["2", "not", "sure", "(fear?)", "31", "%", "angry", "11", "%"]
    assert result.stdout.splitlines()[3:] == ["", "not sure: less than 40 %."]
    assert [config.reading for config in configs] == ["fer2013"]


def test_table_says_which_answers_are_not_sure_because_the_face_cannot_be_read(photos, monkeypatch):
    real = FakeAnalyzer.analyze
    reason = "Eyes and mouth could not be located; the face may be covered."

    def analyze_covered_faces(self, image, **options):
        analysis = real(self, image, **options)
        faces = []
        for face in analysis.faces:
            quality = replace(face.quality, reasons=(reason,), unreadable=reason)
            emotions = replace(face.emotions, unreadable=reason)
            readings = dict.fromkeys(face.readings, emotions)
            faces.append(replace(face, quality=quality, readings=readings))
        return replace(analysis, faces=tuple(faces))

    monkeypatch.setattr(FakeAnalyzer, "analyze", analyze_covered_faces)
    text = " ".join(analyze(photos["one.png"]).stdout.split())
    assert "not sure (happy?) 9 of 10" in text
    assert "not sure: an unreadable face (see Remarks)." in text
    assert "Eyes and mouth could not be located: the face may be covered." in text


def test_answers_are_never_broken_in_a_usual_terminal(photos, monkeypatch, tmp_path):
    photo = photos["two.png"].rename(tmp_path / f"{'long name ' * 8}.png")
    monkeypatch.setenv("COLUMNS", "80")
    for reading, cell in (("people", "3 of 10  1 angry"), ("fer2013", "31 %  angry 11 %")):
        text = analyze(photo, "--reading", reading).stdout
        assert max(map(len, text.splitlines())) <= 80
        assert "not sure (fear?)" in text
        assert cell in text


def test_ensemble_adds_a_column_with_the_answers_of_its_networks(photos, monkeypatch):
    real = FakeAnalyzer.analyze

    def analyze_as_ensemble(self, image, **options):
        analysis = real(self, image, **options)
        scores = [EmotionScores(tuple(np.roll([0.9, *[0.1 / 6] * 6], at)), 0.4) for at in (3, 4, 3)]
        names = ("mobilenet_v2", "resnet50", "inception_v3")
        per_model = dict(zip(names, scores, strict=True))
        faces = tuple(replace(face, per_model=per_model) for face in analysis.faces)
        return replace(analysis, faces=faces)

    assert "Networks" not in analyze(photos["one.png"]).stdout
    monkeypatch.setattr(FakeAnalyzer, "analyze", analyze_as_ensemble)
    result = analyze(photos["one.png"], photos["none.png"])
    assert result.exit_code == 0
    assert "Networks" in result.stdout
    assert "happy 2, sad 1" in " ".join(result.stdout.split())
    (row,) = csv.DictReader(analyze(photos["one.png"], "--format", "csv").stdout[1:].splitlines())
    assert row["agreement"] == "majority"
    assert row["per_model"] == "mobilenet_v2 happy 0.90; resnet50 sad 0.90; inception_v3 happy 0.90"


def test_remark_is_short_in_the_table_and_explained_once_below(photos, monkeypatch):
    real = FakeAnalyzer.analyze
    reasons = ("The face is small (31 px); 40 px or more reads better.", "The face is blurred.")

    def analyze_small_faces(self, image, **options):
        analysis = real(self, image, **options)
        faces = [
            replace(face, quality=replace(face.quality, reasons=reasons)) for face in analysis.faces
        ]
        return replace(analysis, faces=tuple(faces))

    monkeypatch.setattr(FakeAnalyzer, "analyze", analyze_small_faces)
    lines = analyze(photos["two.png"]).stdout.splitlines()
    assert all("small (31 px), blurred" in line for line in lines[1:3])
    assert lines[3] == ""
    assert lines[-1] == "small: 40 px or more reads better."


def test_photo_without_a_face_is_not_an_error(photos):
    result = analyze(photos["none.png"])
    assert result.exit_code == 0
    assert "no face found" in result.stdout
