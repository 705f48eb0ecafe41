"""One document for every front: its keys and its exactness."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core import EMOTIONS, Box, Landmarks, Reading, document, dumps, to_json
from core.types import Face
from tests.core.pipeline_parts import face_analysis, image_analysis, scores

ANSWER = image_analysis(
    face_analysis(1, Box(10.04, 20.05, 110.96, 140.0)),
    face_analysis(2, Box(300.0, 20.0, 400.0, 120.0), scores(0.9, sad=0.6, fear=0.4)),
)


def without_landmarks(analysis):
    return replace(analysis, face=Face(analysis.face.box, analysis.face.score))


def test_document_has_the_promised_keys_in_their_order():
    result = document(ANSWER)
    assert list(result) == [
        "schema_version",
        "name",
        "width",
        "height",
        "turned",
        "faces",
        "notes",
        "provenance",
    ]
    assert list(result["faces"][0]) == [
        "index",
        "box",
        "score",
        "landmarks",
        "emotions",
        "top",
        "certain",
        "readings",
        "per_model",
        "agreement",
        "quality",
    ]
    assert list(result["faces"][0]["readings"]) == ["people", "fer2013"]
    assert list(result["faces"][0]["box"]) == ["x1", "y1", "x2", "y2"]
    assert list(result["faces"][0]["emotions"]) == [str(emotion) for emotion in EMOTIONS]
    assert list(result["faces"][0]["quality"]) == [
        "size_px",
        "sharpness",
        "brightness",
        "contrast",
        "yaw",
        "pitch",
        "roll",
        "reasons",
        "unreadable",
        "covered",
    ]
    assert list(result["provenance"]) == [
        "version",
        "model",
        "detector",
        "landmarks",
        "reading",
        "weights_sha256",
        "config_digest",
    ]


def test_document_contains_the_answer():
    result = document(ANSWER)
    assert result["schema_version"] == "2.1"
    assert result["turned"] == 0
    assert (result["name"], result["width"], result["height"]) == ("photo.jpg", 640, 480)
    assert result["notes"] == ["The file is an animation; only its first frame was read."]
    one, other = result["faces"]
    assert one["box"] == {"x1": 10.0, "y1": 20.1, "x2": 111.0, "y2": 140.0}
    assert (one["index"], one["score"], one["top"], one["certain"]) == (1, 0.9877, "happy", True)
    assert one["emotions"]["happy"] == 0.75
    assert one["per_model"]["mobilenet_v2"] == {
        "emotions": one["emotions"],
        "top": "happy",
        "certain": True,
    }
    assert one["agreement"] is None
    assert (other["top"], other["certain"]) == ("sad", False)
    assert one["quality"]["yaw"] is None
    assert one["quality"]["roll"] == -1.2
    assert one["quality"]["reasons"] == ["The face is dark."]
    assert one["quality"]["covered"] == []
    assert one["landmarks"]["scheme"] == "five_points"
    assert len(one["landmarks"]["points"]) == 5


def test_document_shows_the_chosen_reading_and_has_both():
    face = face_analysis(1, Box(0, 0, 60, 60))
    for reading, top in (("people", "happy"), ("fer2013", "sad")):
        shown = replace(
            face,
            reading=Reading(reading),
            readings={
                Reading.PEOPLE: scores(happy=0.75, neutral=0.25),
                Reading.FER2013: scores(0.9, happy=0.25, sad=0.75),
            },
        )
        (record,) = document(image_analysis(shown))["faces"]
        assert record["top"] == top
        assert [record["readings"][each]["top"] for each in ("people", "fer2013")] == [
            "happy",
            "sad",
        ]
        expected = {name: record[name] for name in ("emotions", "top", "certain")}
        assert record["readings"][reading] == expected


def test_document_says_why_a_face_cannot_be_read():
    face = face_analysis(1, Box(0, 0, 60, 60))
    quality = replace(face.quality, unreadable="The face is dark.")
    (record,) = document(image_analysis(replace(face, quality=quality)))["faces"]
    assert record["quality"]["unreadable"] == "The face is dark."


def test_picture_without_faces_has_an_empty_list():
    assert document(image_analysis())["faces"] == []


def test_face_without_landmarks_has_null():
    answer = image_analysis(without_landmarks(face_analysis(1, Box(0, 0, 9, 9))))
    assert '"landmarks": null' in to_json(answer)


def test_json_is_read_back_unchanged():
    assert json.loads(to_json(ANSWER)) == document(ANSWER)
    assert json.loads(dumps(document(ANSWER), compact=True)) == document(ANSWER)


def test_same_answer_gives_the_same_bytes():
    again = image_analysis(*ANSWER.faces)
    assert to_json(again) == to_json(ANSWER)
    assert "elapsed" not in to_json(ANSWER)


def test_probabilities_still_sum_to_one():
    uneven = scores(**dict(zip(EMOTIONS, [1 / 7] * 7, strict=True)))
    result = document(image_analysis(face_analysis(1, Box(0, 0, 9, 9), uneven)))
    assert sum(result["faces"][0]["emotions"].values()) == pytest.approx(1, abs=1e-5)


def test_each_point_is_on_one_line():
    text = to_json(ANSWER)
    points = document(ANSWER)["faces"][0]["landmarks"]["points"]
    for x, y in points:
        assert f"[{x}, {y}]" in text


def test_mesh_takes_one_line_for_each_point():
    analysis = face_analysis(1, Box(0, 0, 9, 9))
    points = np.random.default_rng(0).normal(0, 1e4, (468, 2))
    face = Face(analysis.face.box, 1.0, Landmarks(points, "face_mesh_468"))
    made = replace(analysis, face=face)
    assert to_json(image_analysis(made)).count("\n") < 468 + 130


@pytest.mark.parametrize(
    "name",
    [
        "photo [ 1,  2 ].jpg",
        "[1,\n 2\n].jpg",
        'quote " and \\ backslash.png',
        "Grüße 你好 😀.jpg",
        "line\nbreak\ttab\x1b[31m.jpg",
        "right\u202eto left.jpg",
        "separators\u2028\u2029\x85.jpg",
        "undecodable\udce9\udcff.jpg",
        "\ud83d",
        "",
        "</script><b>",
    ],
)
def test_name_is_exact_in_json_and_can_be_written(name):
    answer = image_analysis(name=name)
    for text in (to_json(answer), dumps(document(answer), compact=True)):
        assert json.loads(text.encode().decode())["name"] == name
        # Some readers of lines end them elsewhere than at a line feed.
        assert len(text.splitlines()) == text.count("\n")
    assert dumps(document(answer), compact=True).count("\n") == 1


def test_ordinary_letters_stay_readable_in_json():
    assert "Grüße 你好 😀" in to_json(image_analysis(name="Grüße 你好 😀"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_infinity_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        dumps({"score": value})
