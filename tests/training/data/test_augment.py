"""Augmentation: the seed alone decides what a face becomes."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.augment import LIGHT, POSE, SHARPNESS, augment_face, make_transform


@pytest.fixture(scope="module")
def face(draw):
    return draw(1, 1)


def test_seed_decides_the_augmented_face(face):
    first, second = make_transform(), make_transform()
    augment_face(second, face, 5)
    once, other = (augment_face(first, face, seed)[0] for seed in (3, 4))
    np.testing.assert_array_equal(once, augment_face(second, face, 3)[0])
    assert (once != other).any()


def test_augmented_face_keeps_shape_and_type_and_leaves_the_original(face):
    before = face.copy()
    for seed in range(20):
        after, _ = augment_face(make_transform(), face, seed)
        assert (after.shape, after.dtype) == (face.shape, np.uint8)
    np.testing.assert_array_equal(face, before)


class RecordingTransform:
    """A pipeline that remembers which of its transforms were applied last."""

    def __init__(self, transform):
        transform.save_applied_params = True
        self._transform = transform
        self.set_random_state = transform.set_random_state

    def __call__(self, **given):
        result = self._transform(**given)
        self.applied = {name for name, _ in result["applied_transforms"]}
        return result


def test_transforms_are_applied_independently_of_one_another(face):
    # With the same seed for each transform, all would be applied to the same faces.
    transform = RecordingTransform(make_transform())
    mirrored, brightened = set(), set()
    for seed in range(400):
        _, is_mirrored = augment_face(transform, face, seed)
        assert is_mirrored is ("HorizontalFlip" in transform.applied)
        if "HorizontalFlip" in transform.applied:
            mirrored.add(seed)
        if "RandomBrightnessContrast" in transform.applied:
            brightened.add(seed)
    # Each is applied for half of the seeds, both for a quarter.
    assert len(mirrored) == pytest.approx(200, abs=45)
    assert len(brightened) == pytest.approx(200, abs=45)
    assert len(mirrored & brightened) == pytest.approx(100, abs=40)


def spread(kind, extra, face, measure):
    """Return how much ``measure`` varies when ``kind`` is augmented by ``extra`` more."""
    transform = make_transform({kind}, extra)
    return np.std([measure(augment_face(transform, face, seed)[0]) for seed in range(150)])


def measure_detail(face):
    return np.abs(np.diff(face.astype(float), axis=1)).mean()


@pytest.mark.parametrize(("kind", "measure"), [(LIGHT, np.mean), (SHARPNESS, measure_detail)])
def test_stronger_augmentation_of_one_kind_varies_it_more_and_no_other(face, kind, measure):
    usual = spread(kind, 0.0, face, measure)
    assert spread(kind, 1.0, face, measure) > 1.2 * usual
    other = {LIGHT: POSE, SHARPNESS: LIGHT}[kind]
    plain, same = make_transform(), make_transform({other}, 0.0)
    np.testing.assert_array_equal(augment_face(plain, face, 3)[0], augment_face(same, face, 3)[0])


def find_transform(name, *options):
    """Return the transform called ``name`` in the pipeline."""
    (match,) = [each for each in make_transform(*options) if type(each).__name__ == name]
    return match


def test_stronger_pose_rotates_further_and_stronger_sharpness_blurs_more_often():
    assert find_transform("Affine", {POSE}, 1.0).rotate == (-30, 30)
    assert find_transform("Affine").rotate == (-15, 15)
    assert find_transform("OneOf", {SHARPNESS}, 1.0).p == 2 * find_transform("OneOf").p
