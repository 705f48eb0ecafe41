"""Shapes of faces as a further thing to learn."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from core.types import Landmarks
from training.data.faces import FaceSet
from training.data.shapes import SHAPE_VALUES, compute_shapes, list_outline_points, read_shapes


def outlines(count: int = 6) -> np.ndarray:
    """(count, 2, P, 2) random outlines; the second of each pair is its mirror image."""
    given = (
        np.random.default_rng(0).normal(24, 8, (count, 1, SHAPE_VALUES // 2, 2)).astype(np.float32)
    )
    return np.concatenate([given, given * (-1, 1) + (48, 0)], axis=1).astype(np.float32)


class BrightestColumns:
    """A mesh whose points follow the picture's brightest pixel; black pictures hold no face."""

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


def faces_of(*bright: tuple[int, int] | None) -> FaceSet:
    images = np.zeros((len(bright), 48, 48), np.uint8)
    for image, place in zip(images, bright, strict=True):
        if place:
            image[place] = 255
    names = tuple(f"{index}.png" for index in range(len(bright)))
    return FaceSet(images, np.zeros(len(bright), np.int64), names)


def test_turned_moved_and_larger_outlines_are_the_same_shape():
    given = outlines()
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    again = (1.3 * given[2] @ turn + (5, -3)).astype(np.float32)
    *shapes, copy = compute_shapes(np.concatenate([given, again[None]]))
    np.testing.assert_allclose(copy, shapes[2], atol=2e-3)
    assert np.abs(copy - shapes[3]).max() > 0.5


def test_shapes_have_unit_spread_and_mean_zero_and_unknown_ones_stay_unknown():
    given = outlines()
    given[1, 1] = np.nan
    shapes = compute_shapes(given)
    assert shapes.shape == (6, 2, SHAPE_VALUES)
    assert np.isnan(shapes[1, 1]).all()
    known = shapes[~np.isnan(shapes).any(axis=2)]
    assert known.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(known.mean(axis=0)).max() < 0.05


def test_landmarks_are_found_once_and_kept(tmp_path):
    file, mesh = tmp_path / "landmarks.npz", BrightestColumns()
    first = faces_of((10, 10), None)
    shapes = read_shapes(file, first, mesh=lambda: mesh)
    assert mesh.pictures == 4
    assert np.isnan(shapes[1]).all()
    # The mirrored picture is looked at itself: its point lies on the other side.
    assert not np.allclose(shapes[0, 0], shapes[0, 1], atol=0.05)
    again = read_shapes(file, first, mesh=lambda: pytest.fail("nothing is missing"))
    np.testing.assert_allclose(again, shapes, atol=0.02)
    told = []
    larger = faces_of((10, 10), None, (30, 20))
    assert len(read_shapes(file, larger, mesh=lambda: mesh, progress=told.append)) == 3
    assert mesh.pictures == 6
    assert told == ["Finding the landmarks of 1 faces …"]


def test_pictures_without_a_face_are_told(tmp_path):
    with pytest.raises(DataError, match="finds no face in 2 pictures"):
        read_shapes(tmp_path / "new.npz", faces_of(None, None), mesh=BrightestColumns)


@pytest.mark.parametrize("content", [b"", b"no archive", "other"])
def test_file_of_something_else_is_refused(tmp_path, content):
    file = tmp_path / "other.npz"
    if content == "other":
        np.savez(file, names=np.array(["0.png"]), points=np.zeros((1, 3)))
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    with pytest.raises(DataError, match="holds no landmarks"):
        read_shapes(file, faces_of((1, 1)), mesh=BrightestColumns)
    assert file.read_bytes() == before
