"""The rows that an answer gives."""

from __future__ import annotations

from dataclasses import replace

from core import Box
from core.batch.rows import RESULT_COLUMNS, answered
from tests.core.pipeline_parts import face_analysis, image_analysis, scores


def test_row_tells_what_each_network_of_an_ensemble_says():
    face = face_analysis(1, Box(0, 0, 60, 60))
    networks = {"mobilenet_v2": face.emotions, "resnet50": scores(sad=1.0)}
    for per_model, told in (
        (networks, "mobilenet_v2 happy 0.75; resnet50 sad 1.00"),
        ({"mobilenet_v2": face.emotions}, None),
    ):
        answer = answered("a.png", image_analysis(replace(face, per_model=per_model)))
        (row,) = answer.rows
        assert row[RESULT_COLUMNS.index("per_model")] == told
