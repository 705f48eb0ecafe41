"""Faces are resized and normalised in one place, for training and serving."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.preprocess import Preprocessing

PREPROCESSING = Preprocessing(input_px=96, mean=0.5, std=0.25)


def test_no_crops_give_an_empty_batch():
    batch = PREPROCESSING(np.zeros((0, 48, 48), np.uint8))
    assert (batch.shape, batch.dtype) == ((0, 3, 96, 96), np.float32)


@pytest.mark.parametrize("input_px", [32, 48, 75, 96])
def test_crops_become_a_batch_of_the_network_s_size(faces48, input_px):
    batch = Preprocessing(input_px, 0.5, 0.5)(faces48)
    assert (batch.shape, batch.dtype) == ((len(faces48), 3, input_px, input_px), np.float32)
    assert batch.flags.c_contiguous


def test_grey_values_are_scaled_around_the_mean():
    ramp = np.array([[[0, 51], [102, 255]]], np.uint8)
    expected = (np.array([[0, 0.2], [0.4, 1.0]]) - 0.5) / 0.25
    batch = PREPROCESSING.normalise(ramp)
    assert batch[0, 0] == pytest.approx(expected, abs=1e-6)
    assert (batch[0, 0] == batch[0, 1]).all()
    assert (batch[0, 0] == batch[0, 2]).all()


def test_crop_of_the_right_size_is_unchanged(faces48):
    crop = faces48[0]
    assert Preprocessing(48, 0.5, 0.5).resize(crop) is crop


def test_enlarging_keeps_the_centre():
    crop = np.zeros((48, 48), np.uint8)
    crop[20:28, 30:38] = 200
    large = PREPROCESSING.resize(crop).astype(float)
    rows, columns = np.indices(large.shape) + 0.5
    assert (large * columns).sum() / large.sum() == pytest.approx(2 * 34, abs=0.1)
    assert (large * rows).sum() / large.sum() == pytest.approx(2 * 24, abs=0.1)


def test_enlarging_is_bicubic():
    # Bicubic overshoots beside an edge; bilinear and nearest never do.
    crop = np.full((48, 48), 50, np.uint8)
    crop[:, 24:] = 200
    large = PREPROCESSING.resize(crop)
    assert large.max() > 205
    assert large.min() < 45


def test_order_of_the_crops_is_kept(faces48):
    batch = PREPROCESSING(faces48)
    for index, crop in enumerate(faces48):
        assert (batch[index] == PREPROCESSING(crop[None])[0]).all()


def test_mirrored_crop_gives_the_mirrored_input(faces48):
    mirrored = PREPROCESSING(np.ascontiguousarray(faces48[:, :, ::-1]))
    assert np.abs(mirrored - PREPROCESSING(faces48)[..., ::-1]).max() < 0.02


@pytest.mark.parametrize(
    "crops",
    [np.zeros((48, 48), np.uint8), np.zeros((1, 48, 48), np.float32)],
    ids=["one without a batch", "float"],
)
def test_crops_of_another_shape_or_type_are_refused(crops):
    with pytest.raises(ValueError, match=r"expected uint8 crops \(N, H, W\)"):
        PREPROCESSING(crops)


@pytest.mark.parametrize("values", [(0, 0.5, 0.5), (96, 0.5, 0.0), (96, float("nan"), 0.5)])
def test_impossible_preprocessing_is_refused(values):
    with pytest.raises(ValueError, match=r"must (be|lie)"):
        Preprocessing(*values)


def test_training_normalises_as_serving_does(faces48):
    import torch

    from training.learning.module import EmotionModule

    class Stand:
        """The parts of a training module that ``normalise`` needs."""

        recipe = PREPROCESSING

    resized = np.stack([PREPROCESSING.resize(crop) for crop in faces48])
    tensor = EmotionModule.normalise(Stand(), torch.from_numpy(resized))
    assert tensor.dtype is torch.float32
    assert np.abs(tensor.numpy() - PREPROCESSING(faces48)).max() <= 1e-6
