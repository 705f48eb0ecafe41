"""Overlap of boxes and non-maximum suppression."""

from __future__ import annotations

import numpy as np
import pytest

from core import Box
from core.faces.boxes import box_iou, drop_nested, merge_boxes, nms, nms_min_area

EMPTY = np.zeros((0, 4))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(5, 0, 15, 10), 1 / 3),
        (Box(10, 0, 20, 10), 0.0),
        (Box(30, 30, 40, 40), 0.0),
        (Box(5, 5, 5, 5), 0.0),
    ],
    ids=["same", "half beside", "touching", "far", "without area"],
)
def test_iou_is_the_shared_area_over_the_covered_area(other, expected):
    assert box_iou(Box(0, 0, 10, 10), other) == pytest.approx(expected)
    assert box_iou(other, Box(0, 0, 10, 10)) == pytest.approx(expected)


def test_no_boxes_give_no_indices():
    assert nms(EMPTY, np.zeros(0), 0.5).tolist() == []
    assert nms_min_area(EMPTY, np.zeros(0), 0.5).tolist() == []
    assert drop_nested(EMPTY, np.zeros(0, np.int64), 0.5).tolist() == []


def test_better_scored_of_two_boxes_is_kept():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.7], np.float32)
    assert nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert nms(boxes, scores, 0.9).tolist() == [1, 2, 0]


def test_overlap_of_a_nested_box_is_relative_to_the_smaller_area():
    boxes = np.array([[0, 0, 40, 40], [10, 10, 19, 19]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms_min_area(boxes, scores, 0.7).tolist() == [0]
    assert drop_nested(boxes, np.array([0, 1]), 0.8).tolist() == [0]
    assert drop_nested(boxes, np.array([1, 0]), 0.8).tolist() == [1]


def row(x1, y1, x2, y2):
    return [x1, y1, x2, y2, x1, y1, x2, y1]


def test_boxes_on_one_face_are_averaged_by_their_scores():
    found = np.array([row(0, 0, 10, 10), row(100, 0, 110, 10), row(2, 0, 12, 10)], np.float64)
    first, second = merge_boxes(found, np.array([0.9, 0.6, 0.3]), max_iou=0.3, most=2)
    assert first == pytest.approx(row(0.5, 0, 10.5, 10))
    assert second == pytest.approx(row(100, 0, 110, 10))


@pytest.mark.parametrize("most", [1, 2, 5])
def test_merging_stops_at_the_requested_number(most):
    found = np.array([row(20.0 * n, 0, 20.0 * n + 10, 10) for n in range(3)])
    assert len(merge_boxes(found, np.array([0.9, 0.8, 0.7]), max_iou=0.3, most=most)) == min(
        most, 3
    )


def test_boxes_without_area_are_merged_too():
    found = np.array([row(5.0, 5, 5, 5)] * 3)
    assert len(merge_boxes(found, np.ones(3), max_iou=0.3, most=2)) == 2
    assert merge_boxes(np.zeros((0, 8)), np.zeros(0), max_iou=0.3, most=2) == []
