"""Shapes of faces as a second training target."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from core.types import Landmarks
from training.data.faces import FaceSet
from training.data.shapes import SHAPE_VALUES, compute_shapes, list_outline_points, read_shapes


def make_outlines(count: int = 6) -> np.ndarray:
    """Return (count, 2, P, 2) random outlines; the second of each pair is the mirror image."""
    given = (
        np.random.default_rng(0).normal(24, 8, (count, 1, SHAPE_VALUES // 2, 2)).astype(np.float32)
    )
    return np.concatenate([given, given * (-1, 1) + (48, 0)], axis=1).astype(np.float32)


class BrightestPixelMesh:
    """A mesh with a point on the picture's brightest pixel; it finds no face in black ones."""

    def __init__(self):
        self.pictures = 0

    def locate(self, image, faces):
        self.pictures += 1
        if not image.pixels.any():
            return (None,)
        y, x = np.unravel_index(image.pixels[..., 0].argmax(), image.pixels.shape[:2])
        points = np.random.default_rng(1).normal(180, 40, (468, 2))
        points[list_outline_points()[0]] = (x, y)
        return (Landmarks(points.astype(np.float32), "face_mesh_468"),)


def make_faces(*bright: tuple[int, int] | None) -> FaceSet:
    images = np.zeros((len(bright), 48, 48), np.uint8)
    for image, place in zip(images, bright, strict=True):
        if place:
            image[place] = 255
    names = tuple(f"{index}.png" for index in range(len(bright)))
    return FaceSet(images, np.zeros(len(bright), np.int64), names)


def test_shape_does_not_depend_on_rotation_position_and_size():
    given = make_outlines()
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    again = (1.3 * given[2] @ turn + (5, -3)).astype(np.float32)
    *shapes, copy = compute_shapes(np.concatenate([given, again[None]]))
    np.testing.assert_allclose(copy, shapes[2], atol=2e-3)
    assert np.abs(copy - shapes[3]).max() > 0.5


def test_shapes_have_mean_zero_and_variance_one_and_unknown_ones_stay_nan():
    given = make_outlines()
    given[1, 1] = np.nan
    shapes = compute_shapes(given)
    assert shapes.shape == (6, 2, SHAPE_VALUES)
    assert np.isnan(shapes[1, 1]).all()
    known = shapes[~np.isnan(shapes).any(axis=2)]
    assert known.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(known.mean(axis=0)).max() < 0.05


def test_landmarks_are_found_once_and_cached(tmp_path):
    file, mesh = tmp_path / "landmarks.npz", BrightestPixelMesh()
    first = make_faces((10, 10), None)
    shapes = read_shapes(file, first, mesh=lambda: mesh)
    assert mesh.pictures == 4
    assert np.isnan(shapes[1]).all()
    # The mesh sees the mirrored picture itself, where the point is on the other side.
    assert not np.allclose(shapes[0, 0], shapes[0, 1], atol=0.05)
    again = read_shapes(file, first, mesh=lambda: pytest.fail("nothing is missing"))
    np.testing.assert_allclose(again, shapes, atol=0.02)
    larger = make_faces((10, 10), None, (30, 20))
    assert len(read_shapes(file, larger, mesh=lambda: mesh)) == 3
    assert mesh.pictures == 6


def test_pictures_without_any_face_are_an_error(tmp_path):
    with pytest.raises(DataError, match="finds no face in 2 pictures"):
        read_shapes(tmp_path / "new.npz", make_faces(None, None), mesh=BrightestPixelMesh)


@pytest.mark.parametrize("content", [b"", b"no archive", "other"])
def test_file_without_landmarks_is_refused(tmp_path, content):
    file = tmp_path / "other.npz"
    if content == "other":
        np.savez(file, names=np.array(["0.png"]), points=np.zeros((1, 3)))
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    with pytest.raises(DataError, match="is not a file of landmarks"):
        read_shapes(file, make_faces((1, 1)), mesh=BrightestPixelMesh)
    assert file.read_bytes() == before
