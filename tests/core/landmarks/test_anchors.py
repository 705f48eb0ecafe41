"""The three points for alignment, from every landmark scheme."""

from __future__ import annotations

import numpy as np
import pytest

from core import Landmarks
from core.landmarks.anchors import anchor_points
from tests.core.pipeline_parts import five_points


def test_five_points_give_both_eyes_and_the_mouth_s_middle():
    anchors = anchor_points(five_points())
    assert anchors.dtype == np.float32
    assert anchors == pytest.approx(np.array([[15.2, 19.0], [33.0, 18.8], [24.3, 36.7]]))


def test_first_anchor_of_the_mesh_is_the_viewer_s_left_eye():
    points = np.zeros((468, 2), np.float32)
    points[[33, 133, 159, 145]] = [[0, 5], [4, 5], [2, 4], [2, 6]]
    points[[263, 362, 386, 374]] = [[14, 5], [10, 5], [12, 4], [12, 6]]
    points[[61, 291]] = [[4, 15], [10, 15]]
    anchors = anchor_points(Landmarks(points, "face_mesh_468"))
    assert anchors.tolist() == [[2, 5], [12, 5], [7, 15]]


def test_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="got dlib_68"):
        anchor_points(Landmarks(np.zeros((68, 2), np.float32), "dlib_68"))
