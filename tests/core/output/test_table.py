"""One table for every front: a row for each face, image without one, and failed file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from core import (
    CSV_MARK,
    EMOTIONS,
    Box,
    FailedFile,
    Reading,
    UnreadableImage,
    document,
    format_csv_heading,
    format_csv_rows,
    format_network_answers,
    is_csv_table,
    to_csv,
)
from core.output.table import COLUMN_NAMES, compute_run_digest, make_rows
from tests.core.pipeline_parts import face_analysis, image_analysis, scores

ANSWER = image_analysis(
    face_analysis(1, Box(10.04, 20.05, 110.96, 140.0)),
    face_analysis(2, Box(300.0, 20.0, 400.0, 120.0), scores(0.9, sad=0.6, fear=0.4)),
)
FAILED = FailedFile.from_error("bad.jpg", UnreadableImage("It is damaged.", hint="Take another."))


def read_table(text):
    assert text.startswith(CSV_MARK)
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_columns_are_those_that_users_know_and_in_their_order():
    assert (
        *("path", "status", "time_s", "width", "height", "turned", "faces", "face"),
        *("x1", "y1", "x2", "y2"),
        *("score", "answer", "top", "probability", "certain"),
        *("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
        *("reading", "quality", "agreement", "per_model", "notes", "error", "message"),
        *("model", "detector", "run"),
    ) == COLUMN_NAMES


def test_table_has_rows_for_faces_images_without_one_and_failures_in_the_given_order():
    table = read_table(to_csv([FAILED, ANSWER, image_analysis(name="empty.png"), FAILED, ANSWER]))
    assert [(row["path"], row["status"], row["faces"], row["face"]) for row in table] == [
        ("bad.jpg", "failed", "", ""),
        ("photo.jpg", "face", "2", "1"),
        ("photo.jpg", "face", "2", "2"),
        ("empty.png", "no face", "0", ""),
        ("bad.jpg", "failed", "", ""),
        ("photo.jpg", "face", "2", "1"),
        ("photo.jpg", "face", "2", "2"),
    ]


def test_table_has_the_values_of_the_document():
    row = read_table(to_csv([ANSWER]))[1]
    face = document(ANSWER)["faces"][1]
    assert {edge: float(row[edge]) for edge in ("x1", "y1", "x2", "y2")} == face["box"]
    assert {str(e): float(row[e]) for e in EMOTIONS} == face["emotions"]
    assert (row["top"], row["certain"], float(row["score"])) == ("sad", "no", face["score"])
    assert row["quality"] == "The face is dark."
    assert row["notes"].startswith("The file is an animation")
    assert (row["model"], row["detector"], row["reading"]) == ("mobilenet_v2", "mtcnn", "people")
    assert row["run"] == compute_run_digest(ANSWER.provenance)
    assert (row["time_s"], row["error"], row["message"]) == ("", "", "")


def test_answer_is_the_emotion_or_not_sure_with_the_probability_of_the_most_probable():
    certain, unsure = read_table(to_csv([ANSWER]))
    assert (certain["answer"], certain["top"], certain["probability"]) == ("happy", "happy", "0.75")
    assert (unsure["answer"], unsure["top"], unsure["probability"]) == ("not sure", "sad", "0.6")


def test_answer_is_of_the_shown_reading():
    face = replace(ANSWER.faces[0], reading=Reading.FER2013)
    face = replace(face, readings={**face.readings, Reading.FER2013: scores(fear=1.0)})
    provenance = replace(ANSWER.provenance, reading="fer2013")
    (row,) = read_table(to_csv([replace(ANSWER, faces=(face,), provenance=provenance)]))
    assert (row["reading"], row["answer"], row["fear"]) == ("fer2013", "fear", "1.0")


def test_failed_file_has_its_reason_and_the_run_of_the_others():
    row, other, _ = read_table(to_csv([FAILED, ANSWER]))
    assert (row["error"], row["message"]) == ("UnreadableImage", "It is damaged.")
    for name in ("reading", "model", "detector", "run"):
        assert row[name] == other[name] != ""
    assert not row["answer"]
    (alone,) = read_table(to_csv([FAILED]))
    assert (alone["path"], alone["status"], alone["run"]) == ("bad.jpg", "failed", "")


def test_frames_of_a_video_have_their_time():
    text = format_csv_heading() + format_csv_rows(ANSWER, time_s=1.23456)
    assert [row["time_s"] for row in read_table(text)] == ["1.235", "1.235"]
    without_time = [{**row, "time_s": ""} for row in read_table(text)]
    assert without_time == read_table(to_csv([ANSWER]))


def test_every_cell_has_a_column():
    for result in (ANSWER, FAILED, image_analysis()):
        for row in make_rows(result, time_s=1.0):
            assert set(row) <= set(COLUMN_NAMES)


def test_table_without_pictures_is_only_its_heading():
    assert to_csv([]) == CSV_MARK + ",".join(COLUMN_NAMES) + "\n" == format_csv_heading()


def test_tables_are_known_as_ours_with_the_mark_and_without_as_in_earlier_versions(tmp_path):
    table = tmp_path / "table.csv"
    for text in (to_csv([ANSWER]), to_csv([ANSWER])[1:]):
        table.write_text(text, encoding="utf-8")
        assert is_csv_table(table)
    table.write_text(CSV_MARK + "name,emotion\n", encoding="utf-8")
    assert not is_csv_table(table)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(start):
    name = start + 'HYPERLINK("http://example.org")'
    for result in (image_analysis(name=name), FailedFile(name, "UnreadableImage", "Damaged.")):
        (row,) = read_table(to_csv([result]))
        assert row["path"] == "'" + name


@pytest.mark.parametrize("name", ["photo.jpg", "a=b.jpg", "Grüße, 你好.jpg", 'quo"te.jpg', "a\nb"])
def test_ordinary_names_are_not_changed(name):
    assert read_table(to_csv([image_analysis(name=name)]))[0]["path"] == name


@pytest.mark.parametrize("line_end", "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
def test_name_with_a_line_end_is_quoted_and_stays_one_row(line_end):
    name = f"holiday{line_end}=1+2;.jpg"
    text = to_csv([image_analysis(name=name)])
    assert f'"{name}"' in text
    (row,) = read_table(text)
    assert row["path"] == name


def test_undecodable_name_can_be_written_in_a_table():
    text = to_csv([image_analysis(name="caf\udce9.jpg")])
    assert read_table(text.encode().decode())[0]["path"] == "caf\\udce9.jpg"


def test_numbers_stay_numbers_in_a_table():
    analysis = face_analysis(1, Box(-0.0, 0.0, 9.0, 9.0))
    (row,) = read_table(to_csv([image_analysis(analysis)]))
    for column in (
        "width",
        "height",
        "turned",
        "faces",
        "face",
        "x1",
        "score",
        "probability",
        *EMOTIONS,
    ):
        float(row[column])


def test_answers_of_an_ensembles_networks_are_in_one_cell():
    (face, *_) = ANSWER.faces
    assert format_network_answers(face) is None
    sad = replace(face.emotions, probabilities=(0, 0, 0, 0.4, 0.6, 0, 0))
    several = replace(face, per_model={"mobilenet_v2": face.emotions, "resnet50": sad})
    assert format_network_answers(several) == "mobilenet_v2 happy 0.75; resnet50 sad 0.60"
    (row,) = read_table(to_csv([replace(ANSWER, faces=(several,))]))
    assert (row["agreement"], row["per_model"]) == ("split", format_network_answers(several))


def test_run_digest_depends_on_weights_reading_and_options():
    provenance = ANSWER.provenance
    digest = compute_run_digest(provenance)
    assert compute_run_digest(replace(provenance, weights_sha256={"a": "b"})) != digest
    assert compute_run_digest(replace(provenance, config_digest="c")) != digest
    assert compute_run_digest(replace(provenance, reading="fer2013")) != digest
    assert compute_run_digest(replace(provenance)) == digest
