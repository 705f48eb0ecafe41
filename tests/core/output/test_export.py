"""One document for every front: its keys, its exactness, and the table made of it."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core import EMOTIONS, Box, Landmarks, document, dumps, format_network_answers, to_csv, to_json
from core.output.export import CSV_COLUMNS
from core.types import Face
from tests.core.pipeline_parts import face_analysis, image_analysis, scores

ANSWER = image_analysis(
    face_analysis(1, Box(10.04, 20.05, 110.96, 140.0)),
    face_analysis(2, Box(300.0, 20.0, 400.0, 120.0), scores(0.9, sad=0.6, fear=0.4)),
)


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def without_landmarks(analysis):
    face = Face(analysis.face.box, analysis.face.score)
    return type(analysis)(
        analysis.index,
        face,
        analysis.emotions,
        analysis.per_model,
        analysis.quality,
        analysis.crop,
    )


def test_document_has_the_promised_keys_in_their_order():
    result = document(ANSWER)
    assert list(result) == [
        "schema_version",
        "name",
        "width",
        "height",
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
        "per_model",
        "agreement",
        "quality",
    ]
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
    ]
    assert list(result["provenance"]) == [
        "version",
        "model",
        "detector",
        "landmarks",
        "weights_sha256",
        "config_digest",
    ]


def test_document_contains_the_answer():
    result = document(ANSWER)
    assert result["schema_version"] == "1.0"
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
    assert one["landmarks"]["scheme"] == "five_points"
    assert len(one["landmarks"]["points"]) == 5


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
    made = type(analysis)(
        1, face, analysis.emotions, analysis.per_model, analysis.quality, analysis.crop
    )
    assert to_json(image_analysis(made)).count("\n") < 468 + 90


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


def test_table_has_a_row_for_each_face_and_one_for_a_picture_without_faces():
    table = rows(to_csv([ANSWER, image_analysis(name="empty.png"), ANSWER]))
    assert tuple(table[0]) == CSV_COLUMNS
    assert {len(row) for row in table} == {len(CSV_COLUMNS)}
    assert [(row[0], row[3], row[4]) for row in table[1:]] == [
        ("photo.jpg", "2", "1"),
        ("photo.jpg", "2", "2"),
        ("empty.png", "0", ""),
        ("photo.jpg", "2", "1"),
        ("photo.jpg", "2", "2"),
    ]


def test_table_has_the_values_of_the_document():
    row = dict(zip(CSV_COLUMNS, rows(to_csv([ANSWER]))[2], strict=True))
    face = document(ANSWER)["faces"][1]
    assert {edge: float(row[edge]) for edge in ("x1", "y1", "x2", "y2")} == face["box"]
    assert {str(e): float(row[e]) for e in EMOTIONS} == face["emotions"]
    assert (row["top"], row["certain"], float(row["score"])) == ("sad", "no", face["score"])
    assert row["quality"] == "The face is dark."
    assert row["notes"].startswith("The file is an animation")
    assert row["model"] == "mobilenet_v2"


def test_table_without_pictures_is_only_its_heading():
    assert to_csv([]) == ",".join(CSV_COLUMNS) + "\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(start):
    name = start + 'HYPERLINK("http://example.org")'
    assert rows(to_csv([image_analysis(name=name)]))[1][0] == "'" + name


@pytest.mark.parametrize("name", ["photo.jpg", "a=b.jpg", "Grüße, 你好.jpg", 'quo"te.jpg', "a\nb"])
def test_ordinary_names_are_not_changed(name):
    assert rows(to_csv([image_analysis(name=name)]))[1][0] == name


def test_undecodable_name_can_be_written_in_a_table():
    text = to_csv([image_analysis(name="caf\udce9.jpg")])
    assert rows(text.encode().decode())[1][0] == "caf\\udce9.jpg"


def test_numbers_stay_numbers_in_a_table():
    analysis = face_analysis(1, Box(-0.0, 0.0, 9.0, 9.0))
    row = rows(to_csv([image_analysis(analysis)]))[1]
    for column in ("width", "height", "faces", "face", "x1", "score", *EMOTIONS):
        float(row[CSV_COLUMNS.index(column)])


def test_answers_of_an_ensembles_networks_are_in_one_cell():
    (face, *_) = ANSWER.faces
    assert format_network_answers(face) is None
    sad = replace(face.emotions, probabilities=(0, 0, 0, 0.4, 0.6, 0, 0))
    several = replace(face, per_model={"mobilenet_v2": face.emotions, "resnet50": sad})
    assert format_network_answers(several) == "mobilenet_v2 happy 0.75; resnet50 sad 0.60"
    row = next(csv.DictReader(io.StringIO(to_csv([replace(ANSWER, faces=(several,))]))))
    assert (row["agreement"], row["per_model"]) == ("split", format_network_answers(several))
