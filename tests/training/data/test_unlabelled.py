"""Faces without a label, cut from photos."""

from __future__ import annotations

import numpy as np
import pytest

from core import RgbImage
from core.errors import DataError
from core.faces.alignment import CROP_PX
from core.pipeline import Analyzer
from tests.fakes import png
from training.data.unlabelled import cut_faces


@pytest.fixture
def photos(astronaut, tmp_path):
    """A photo of a face, one without, one whose face is too small to be read, a broken one."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.png").write_bytes(png(astronaut))
    (folder / "b.png").write_bytes(png(np.full((90, 90, 3), 200, np.uint8)))
    (folder / "c.png").write_bytes(png(np.ascontiguousarray(astronaut[::6, ::6])))
    (folder / "d.png").write_bytes(b"no picture")
    return folder


def test_faces_are_cut_as_answers_see_them(photos, astronaut):

    faces, skipped = cut_faces([photos])
    (expected,) = Analyzer.from_config().analyze(RgbImage.from_array(astronaut, order="rgb")).faces
    assert faces.shape == (1, CROP_PX, CROP_PX)
    np.testing.assert_array_equal(faces[0], expected.crop.pixels)
    (line,) = skipped
    assert line.startswith("d.png: ")


def test_photos_without_faces_are_refused(photos):
    (photos / "sub" / "a.png").unlink()
    with pytest.raises(DataError, match="No face that can be read was found in photos"):
        cut_faces([photos])
