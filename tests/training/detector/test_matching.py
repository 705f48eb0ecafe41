"""Which detections are right, on cases that a person can work out."""

from __future__ import annotations

import numpy as np
import pytest

from training.detector.matching import Detections, match_detections
from training.detector.photos import FaceBoxes

FACE = [10.0, 10.0, 50.0, 50.0]


def truth(*boxes, ignored=()):
    flags = np.zeros(len(boxes), bool)
    flags[list(ignored)] = True
    return FaceBoxes(np.array(boxes, np.float32).reshape(-1, 4), flags)


def found(*rows):
    boxes = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([row[4] for row in rows], np.float64))


def match(detections, faces, **options):
    matches = match_detections([detections], [faces], **options)
    order = np.argsort(-matches.scores)
    rows = list(zip(matches.scores[order].tolist(), matches.right[order].tolist(), strict=True))
    return rows, int(matches.faces.sum())


def test_photo_without_faces_and_detections_counts_nothing():
    matches = match_detections([found()], [truth()])
    assert (len(matches.scores), matches.faces.tolist()) == (0, [0])
    assert matches.ap is None


def test_missed_face_is_counted():
    assert match(found(), truth(FACE)) == ([], 1)


def test_detection_without_a_face_is_wrong():
    assert match(found([200, 200, 240, 240, 0.9]), truth(FACE)) == ([(0.9, False)], 1)


@pytest.mark.parametrize(
    ("x2", "right"),
    [
        (50.0, True),  # the box itself
        (30.001, True),  # a little more than half of it: overlap .5
        (29.9, False),  # a little less
    ],
)
def test_detection_is_right_from_an_overlap_of_one_half(x2, right):
    rows, _ = match(found([10, 10, x2, 50, 0.8]), truth(FACE))
    assert rows == [(0.8, right)]


def test_second_detection_of_a_face_is_wrong():
    rows, _ = match(found([*FACE, 0.9], [11, 10, 51, 50, 0.7]), truth(FACE))
    assert rows == [(0.9, True), (0.7, False)]


def test_detection_with_the_best_score_matches_the_face_in_any_order():
    rows, _ = match(found([11, 10, 51, 50, 0.7], [*FACE, 0.9]), truth(FACE))
    assert rows == [(0.9, True), (0.7, False)]


def test_ignored_face_does_not_count():
    faces = truth(FACE, [100, 100, 140, 140], ignored=[0])
    assert match(found([*FACE, 0.9]), faces) == ([], 1)
    assert match(found(), faces) == ([], 1)


def test_ignored_box_may_contain_any_number_of_detections():
    crowd = truth([0, 0, 400, 400], ignored=[0])
    rows, faces = match(found([*FACE, 0.9], [100, 100, 140, 140, 0.8]), crowd)
    assert (rows, faces) == ([], 0)


def test_small_face_and_its_detection_do_not_count():
    small = [10.0, 10.0, 40.0, 41.9]
    assert match(found([*small, 0.9]), truth(small), smallest_px=32) == ([], 0)


def test_small_detection_without_a_match_does_not_count_as_wrong():
    assert match(found([0, 0, 20, 60, 0.9]), truth(FACE), smallest_px=32) == ([], 1)
    assert match(found([0, 0, 60, 60, 0.9]), truth(), smallest_px=32) == ([(0.9, False)], 0)


def test_small_detection_of_a_large_face_counts():
    # Its shorter side is 30, the face's 40, and they overlap by three quarters.
    rows, _ = match(found([10, 10, 40, 50, 0.9]), truth(FACE), smallest_px=32)
    assert rows == [(0.9, True)]


def test_range_includes_its_lower_end_but_not_its_upper_end():
    face = [0.0, 0.0, 32.0, 40.0]
    for low, high, counted in ((16, 32, 0), (32, 64, 1)):
        _, faces = match(found(), truth(face), smallest_px=low, largest_px=high)
        assert faces == counted


def test_photos_do_not_share_their_faces():
    matches = match_detections([found(), found([*FACE, 0.9])], [truth(FACE), truth()])
    assert matches.faces.tolist() == [1, 0]
    assert (matches.photo.tolist(), matches.right.tolist()) == ([1], [False])


def test_average_precision_of_a_simple_case():
    # Right, wrong, right of three faces: precision 1 up to a recall of 1/3, then 2/3 up to 2/3,
    # then none. COCO takes the mean at recalls 0, .01 … 1: 34 times 1, 33 times 2/3, 34 times 0.
    faces = truth(FACE, [100, 10, 140, 50], [200, 10, 240, 50])
    detections = found([*FACE, 0.9], [300, 300, 340, 340, 0.8], [100, 10, 140, 50, 0.7])
    assert match_detections([detections], [faces]).ap == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_perfect_detector_has_an_average_precision_of_1():
    assert match_detections([found([*FACE, 0.9])], [truth(FACE)]).ap == pytest.approx(1.0)


def test_matching_prints_nothing(capsys):
    match_detections([found([*FACE, 0.9])], [truth(FACE)])
    assert capsys.readouterr() == ("", "")
