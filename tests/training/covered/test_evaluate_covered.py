"""Measuring the check: what counts as noticed, what is counted apart, and the tables of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from core import Box, ConfigError, DataError
from core.types import FacePart
from tests.core.pipeline_parts import face_analysis, image_analysis, scores
from training.covered import evaluate
from training.covered.evaluate import evaluate_covered, is_hard_negative, name_sources
from training.covered.photo_drawings import DRAWINGS
from training.covered.publish import format_covered_tables, publish_check, read_report
from training.data.votes import COLUMNS


@pytest.fixture(scope="module")
def votes(faces, tmp_path_factory):
    """FER+'s CSV: everybody says what the folder says."""
    file = tmp_path_factory.mktemp("votes") / "votes.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", *COLUMNS])
        for path in faces.rglob("*.png"):
            column = {"happy": "happiness", "sad": "sadness"}[path.parent.name]
            writer.writerow([path.name, *(10 * (name == column) for name in COLUMNS)])
    return file


@pytest.fixture(scope="module")
def measured(faces, photos, votes, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    report, skipped = evaluate_covered(
        out, photos=[photos], uncovered=photos, faces=[faces], votes=votes, negatives=photos
    )
    assert skipped == ()
    assert json.loads((out / "covered.json").read_text(encoding="utf-8")) == report
    return report, out


def test_every_drawing_is_measured_on_every_face(measured):
    (drawn,) = measured[0]["drawn"].values()
    assert [(row["group"], row["name"]) for row in drawn["rows"]] == [
        (drawing.group, drawing.name) for drawing in DRAWINGS
    ]
    assert drawn["photos"] == 2
    assert all(row["faces"] == 1 for row in drawn["rows"])
    assert drawn["groups"]["masks"]["faces"] == 6


def test_shipped_check_notices_what_is_drawn_on_the_astronaut(measured):
    (drawn,) = measured[0]["drawn"].values()
    groups = drawn["groups"]
    assert groups["masks"]["noticed"] >= 5
    assert groups["sunglasses"]["noticed"] >= 4
    assert groups["glasses"]["called"] == 0


def test_uncovered_faces_are_counted(measured):
    uncovered = measured[0]["uncovered"]
    assert (uncovered["photos"], uncovered["faces"], uncovered["called"]) == (2, 1, 0)
    assert uncovered["names"] == {}


def test_certain_answers_of_labelled_faces_are_measured_for_every_group(measured):
    rows = measured[0]["answers"]["rows"]
    assert [row["group"] for row in rows][:3] == ["as they are", "masks", "sunglasses"]
    assert len({row["faces"] for row in rows}) == 1
    plain, masked = rows[:2]
    assert plain["called_share"] == 0
    assert masked["called_share"] > 0.5
    assert masked["certain_left"] <= masked["certain_share"] * masked["faces"]


def test_tables_have_all_figures(measured):
    text = format_covered_tables(measured[0])
    assert "| masks: surgical, light blue | 1 of 1 |" in text
    assert "Of 1 faces on 2 photos" in text
    assert "a certain answer" in text
    assert format_covered_tables(read_report(measured[1] / "covered.json")) == text


def test_card_is_published_with_the_weights(measured, tmp_path):
    publish_check(None, tmp_path, measured[0])
    card = (tmp_path / "covered.md").read_text(encoding="utf-8")
    assert "# Model card: covered" in card
    assert "| masks: surgical, light blue |" in card
    assert (tmp_path / "covered.safetensors").exists()


@pytest.mark.parametrize("change", [{"sha256": "00"}, {"drawn": None}, {"answers": None}])
def test_card_without_figures_of_these_weights_is_refused(measured, tmp_path, change):
    with pytest.raises(ConfigError):
        publish_check(None, tmp_path, {**measured[0], **change})


def test_other_json_is_no_report(tmp_path):
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"other\.json"):
        read_report(tmp_path / "other.json")


def test_nothing_to_measure_on_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="nothing to measure"):
        evaluate_covered(tmp_path)


class Answers:
    """An analyzer that gives the same answer for every picture."""

    def __init__(self, *faces):
        self.faces = faces

    def analyze(self, image):
        return image_analysis(*self.faces, size_wh=(image.width, image.height))


def answer(*, yaw=0.0, covered=(), certain=False, left=10):
    box = Box(left, 10, left + 50, 60)
    face = face_analysis(1, box, scores(0.0 if certain else 0.99, happy=0.75, neutral=0.25))
    return replace(face, quality=replace(face.quality, yaw=yaw, covered=covered))


MASK = next(drawing for drawing in DRAWINGS if drawing.group == "masks")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(covered=(FacePart.MOUTH,)), {"found", "located", "called", "noticed", "named"}),
        (answer(covered=(FacePart.EYES,)), {"found", "located", "called", "noticed"}),
        (answer(yaw=None), {"found", "noticed"}),
        (answer(certain=True), {"found", "located", "certain"}),
        (answer(left=70), set()),
    ],
    ids=["mouth", "other part", "not located", "not noticed", "not found"],
)
def test_a_face_is_noticed_if_something_is_covered_or_it_is_not_located(
    given, expected, monkeypatch
):
    monkeypatch.setattr(evaluate, "draw_over", lambda image, *_: image)
    image = evaluate.RgbImage(np.zeros((100, 100, 3), np.uint8))
    counter = evaluate._judge_drawn(Answers(given), image, answer().face, MASK)
    assert {name for name, count in counter.items() if count} == {"faces", *expected}


def test_certain_answers_without_a_face_are_counted_apart_for_statues(tmp_path, monkeypatch):
    for folder in ("hard_statues", "scenes"):
        (tmp_path / folder).mkdir()
        for number in range(2):
            file = tmp_path / folder / f"{number}.png"
            cv2.imwrite(str(file), np.zeros((20, 20, 3), np.uint8))
    found = iter([answer(certain=True), answer(), answer(certain=True), answer()])
    fake = Answers()
    monkeypatch.setattr(fake, "analyze", lambda _: image_analysis(next(found)))
    report = evaluate._measure_negatives(fake, tmp_path, [])
    for kind in ("hard", "others"):
        assert (report[kind]["photos"], report[kind]["detection"]) == (2, 2)
        assert report[kind]["certain"] == 1
    assert report["names"] == ["hard_statues/0.png", "scenes/0.png"]


def test_photos_are_named_by_their_file_or_where_that_is_the_same_by_their_folder():
    a, b, c = (Path(each) for each in ("x/photos.zip", "y/photos.zip", "z/other.zip"))
    assert name_sources([a, c]) == {"photos": a, "other": c}
    assert name_sources([a, b]) == {"x": a, "y": b}


def test_statues_are_told_by_their_folder():
    assert is_hard_negative(PurePosixPath("hard_statues/1.jpg"))
    assert not is_hard_negative(PurePosixPath("scenes/hard_1.jpg"))
