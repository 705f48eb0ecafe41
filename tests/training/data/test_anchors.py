"""The position of eyes and mouth in FER-2013's faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.faces.alignment import FaceFrame
from core.types import Box, Face, Landmarks
from training.data.anchors import (
    detect_central_faces,
    find_anchors,
    find_landmarks,
    summarize_anchors,
)


class EyesAtTheCorners:
    """A mesh that finds every other face, with its eyes and mouth at the corners of the box."""

    def __init__(self):
        self.seen = []

    def locate(self, image, faces):
        (face,) = faces
        self.seen.append((image, face.box))
        box = face.box
        points = [(box.x1, box.y1), (box.x2, box.y1), (0, 0), (box.x1, box.y2), (box.x2, box.y2)]
        landmarks = Landmarks(np.array(points, dtype=np.float32), "five_points")
        return (landmarks,) if len(self.seen) % 2 else (None,)


def test_positions_are_in_pixels_of_the_small_picture(draw):
    mesh = EyesAtTheCorners()
    faces = np.stack([draw(0, seed) for seed in range(4)])
    first, second, third, fourth = find_anchors(faces, mesh)
    assert first.tolist() == third.tolist() == [[0, 0], [48, 0], [24, 48]]
    assert second is fourth is None
    image, box = mesh.seen[0]
    assert (image.width, image.height) == (360, 360)
    # The box holds the enlarged face; around it, the border pixels are repeated.
    inside = image.pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2), 0]
    small = cv2.resize(inside, (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - faces[0]).mean() < 0.5 * faces[0].std()


class DeepMesh:
    """A mesh with depth: every point is as far back as the box is wide."""

    def locate(self, _image, faces):
        (face,) = faces
        points = np.array([(face.box.x1, face.box.y1), (face.box.x2, face.box.y2)], np.float32)
        return (Landmarks(points, "face_mesh_468", np.full(2, face.box.width, np.float32)),)


def test_depth_is_in_the_same_pixels(draw):
    (landmarks,) = find_landmarks(draw(0, 0)[None], DeepMesh())
    assert landmarks.points.tolist() == [[0, 0], [48, 48]]
    assert landmarks.depth.tolist() == [48, 48]


class TwoFaces:
    """A detector that finds the face and, with a higher score, something at the edge."""

    def __init__(self):
        self.calls = 0

    def detect(self, image):
        self.calls += 1
        if self.calls == 2:
            return ()
        eyes = Landmarks(np.full((5, 2), image.width / 2, np.float32), "five_points")
        edge = Face(Box(0, 0, 60, 60), 0.99)
        return (edge, Face(Box(60, 60, 300, 300), 0.9, eyes))


def test_detected_face_is_the_one_in_the_middle(draw):
    faces = np.stack([draw(0, seed) for seed in range(2)])
    first, second = detect_central_faces(faces, TwoFaces())
    assert first.box == Box(0, 0, 48, 48)
    assert first.landmarks.points.tolist() == [[24, 24]] * 5
    assert second is None


def test_summary_has_median_and_spread_and_the_frame_in_use():
    anchors = np.zeros((5, 3, 2), dtype=np.float32)
    anchors[:, 0] = [(10 + step, 20) for step in range(5)]
    anchors[:, 1] = [(30 + step, 20) for step in range(5)]
    summary = summarize_anchors(anchors)
    assert summary["left_eye"]["median"] == [12, 20]
    assert summary["left_eye"]["quartiles"] == [[11, 20], [13, 20]]
    assert summary["left_eye"]["in_use"] == pytest.approx(list(FaceFrame().left_eye))
    assert summary["left_eye"]["difference"][0] == pytest.approx(12 - FaceFrame().left_eye[0])
    assert summary["eye_distance"]["p50"] == 20
    assert summary["roll_degrees"]["p95"] == 0
