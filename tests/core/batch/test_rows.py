"""The rows of a file."""

from __future__ import annotations

from dataclasses import replace

from core import Box
from core.batch.rows import RESULT_COLUMNS, FileResult
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
