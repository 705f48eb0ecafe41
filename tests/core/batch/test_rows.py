"""The rows of a file."""

from __future__ import annotations

from dataclasses import replace

from core import Box
from core.batch.rows import RESULT_COLUMNS, FileResult, complete_rows
from core.output.table import COLUMN_NAMES, make_rows
from tests.core.pipeline_parts import face_analysis, image_analysis, scores


def test_row_lists_the_answer_of_each_network_of_an_ensemble():
    face = face_analysis(1, Box(0, 0, 60, 60))
    networks = {"mobilenet_v2": face.emotions, "resnet50": scores(sad=1.0)}
    for per_model, expected in (
        (networks, "mobilenet_v2 happy 0.75; resnet50 sad 1.00"),
        ({"mobilenet_v2": face.emotions}, None),
    ):
        result = FileResult.from_analysis(
            "a.png", image_analysis(replace(face, per_model=per_model))
        )
        (row,) = result.rows
        assert row[RESULT_COLUMNS.index("per_model")] == expected


def test_row_that_comes_back_from_the_journal_is_the_row_of_every_table():
    analysis = image_analysis(face_analysis(1, Box(0, 0, 60, 60)))
    result = FileResult.from_analysis("inner/a.png", analysis)
    (row,) = complete_rows([(result.path, result.rows)], analysis.provenance)
    (expected,) = make_rows(analysis)
    expected["path"] = "inner/a.png"
    assert row == tuple(map(expected.get, COLUMN_NAMES))
