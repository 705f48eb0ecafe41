"""The study of frame and passage."""

from __future__ import annotations

import json
import shutil
import zipfile

import cv2
import numpy as np
import pytest

from core.errors import DataError
from core.faces.alignment import CROP_PX, FaceFrame, matrix_from_anchors
from training.data.slices import measure_sharpness
from training.studies.frame import _scale_matrix, study_frame


def test_face_is_enlarged_about_its_middle():
    matrix = matrix_from_anchors(FaceFrame().anchors * 10, FaceFrame())
    middle = np.array([CROP_PX * 5, CROP_PX * 5, 1.0])
    for scale in (0.8, 1.2):
        larger = _scale_matrix(matrix, scale)
        np.testing.assert_allclose(larger @ middle, matrix @ middle, atol=1e-3)
        np.testing.assert_allclose(larger[:, :2], matrix[:, :2] * scale)
    np.testing.assert_array_equal(_scale_matrix(matrix, 1.0), matrix)


def test_sharpness_falls_with_blur_and_ignores_contrast(draw):
    face = cv2.resize(draw(0, 1), (96, 96), interpolation=cv2.INTER_NEAREST)
    flatter = (face * 0.5 + 40).astype(np.uint8)
    assert measure_sharpness(cv2.GaussianBlur(face, (0, 0), 1)) < 0.5 * measure_sharpness(face)
    assert measure_sharpness(flatter) == pytest.approx(measure_sharpness(face), rel=0.1)


def test_pictures_without_a_face_are_an_error(faces_dir, weights_copy, tmp_path):
    with pytest.raises(DataError, match="finds no face"):
        study_frame(
            [faces_dir],
            faces_dir,
            tmp_path / "out",
            model="mobilenet_v2",
            weights_dir=weights_copy,
            sample=2,
        )


@pytest.mark.data
def test_frame_in_use_is_the_measured_one_and_photos_are_compared(
    shared_dir, weights_copy, tmp_path
):
    faces, photos = tmp_path / "faces", tmp_path / "photos"
    for name in ("train", "publictest"):
        with zipfile.ZipFile(shared_dir / "fer2013" / f"{name}.zip") as archive:
            members = sorted(each for each in archive.namelist() if each.endswith(".png"))
            archive.extractall(faces, members[:: len(members) // 50])
    with zipfile.ZipFile(shared_dir / "photos" / "photos.zip") as archive:
        archive.extractall(photos, [each for each in archive.namelist() if "happy_0" in each])
    (photos / "group_mixed").mkdir(exist_ok=True)
    # Only an input larger than the passage can lose anything in it.
    manifest = json.loads((weights_copy / "manifest.json").read_text())
    manifest["models"]["mobilenet_v2"]["preprocessing"]["input_px"] = 96
    (weights_copy / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(next(photos.glob("happy/*.png")), photos / "group_mixed" / "again.png")
    result = study_frame(
        [faces],
        photos,
        tmp_path / "out",
        model="mobilenet_v2",
        weights_dir=weights_copy,
        sample=40,
    )
    report = json.loads((tmp_path / "out" / "frame.json").read_text())
    assert report == json.loads(json.dumps(result))
    assert report["anchors"]["found"] > 0.9 * report["anchors"]["n"] == 0.9 * 40
    for name in ("left_eye", "right_eye", "mouth"):
        assert np.abs(report["anchors"][name]["difference"]).max() < 1.5, name
    assert report["scale"]["found"] > 0.9 * report["scale"]["n"]
    first, *others = report["passage"]["ways"]
    assert first["same_answer_as_through_48_px"] == 1
    assert 0 < report["passage"]["labelled"] < report["passage"]["faces"]
    # Straight from the photo a face is sharper; blur takes that away again.
    medians = [way["sharpness_quartiles"][1] for way in others]
    assert medians[0] > first["sharpness_quartiles"][1]
    assert medians == sorted(medians, reverse=True)
    assert cv2.imread(str(tmp_path / "out" / "frame.png")).std() > 5
