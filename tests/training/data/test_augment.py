"""Augmentation and loading: decided by seed, epoch and index, by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import DataError
from core.faces.preprocess import Preprocessing
from training.data.augment import LIGHT, POSE, SHARPNESS, augment_face, make_transform
from training.data.faces import FaceSet
from training.learning.loader import AugmentedFaces, EpochSampler, make_training_loader

SIDE = 32


@pytest.fixture(scope="module")
def face(draw):
    return draw(1, 1)


def dataset(draw, count=6, seed=1, **options):
    images = np.stack([draw(index % 7, index) for index in range(count)])
    faces = FaceSet(images, np.arange(count) % 7, tuple(map(str, range(count))))
    targets = np.eye(7, dtype=np.float32)[faces.labels]
    opinions = np.zeros((count, 8), dtype=np.float32)
    return AugmentedFaces(
        faces,
        targets,
        opinions,
        preprocessing=Preprocessing(SIDE, 0.5, 0.5),
        seed=seed,
        **options,
    )


def batches(loader, epoch):
    loader.sampler.set_epoch(epoch)
    return [faces.numpy().copy() for faces, *_ in loader]


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


class Watched:
    """A pipeline that remembers which of its transforms fired last."""

    def __init__(self, transform):
        transform.save_applied_params = True
        self._transform = transform
        self.set_random_state = transform.set_random_state

    def __call__(self, **given):
        result = self._transform(**given)
        self.fired = {name for name, _ in result["applied_transforms"]}
        return result


def test_transforms_fire_independently_of_one_another(face):
    # With one seed for each transform all would fire together: mirrored faces alone would
    # be dark, turned and spotted.
    watched = Watched(make_transform())
    mirrored, brightened = set(), set()
    for seed in range(400):
        _, told = augment_face(watched, face, seed)
        assert told is ("HorizontalFlip" in watched.fired)
        if "HorizontalFlip" in watched.fired:
            mirrored.add(seed)
        if "RandomBrightnessContrast" in watched.fired:
            brightened.add(seed)
    # Each fires for half of the seeds, both for a quarter.
    assert len(mirrored) == pytest.approx(200, abs=45)
    assert len(brightened) == pytest.approx(200, abs=45)
    assert len(mirrored & brightened) == pytest.approx(100, abs=40)


def test_item_is_the_same_whatever_came_before(draw):
    one, other = dataset(draw), dataset(draw)
    for key in ((0, 0), (3, 5), (1, 2)):
        other[key]
    np.testing.assert_array_equal(one[(2, 4)][0], other[(2, 4)][0])


def test_item_changes_with_epoch_index_and_seed(draw):
    faces = dataset(draw)
    here = faces[(2, 4)][0].numpy()
    assert (here != faces[(3, 4)][0].numpy()).any()
    assert (here != faces[(2, 5)][0].numpy()).any()
    assert (here != dataset(draw, seed=2)[(2, 4)][0].numpy()).any()


def test_item_has_the_network_s_size_its_target_and_opinion(draw):
    face, target, opinion, shape = dataset(draw)[(0, 3)]
    assert (face.shape, face.dtype) == ((SIDE, SIDE), torch.uint8)
    assert target.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert opinion.shape == (8,)
    assert shape.shape == (0,)


def test_mirrored_face_comes_with_the_mirrored_shape(draw):
    plain = dataset(draw)
    shapes = np.zeros((6, 2, 4), np.float32)
    shapes[:, 1] = 1
    shaped = dataset(draw, shapes=shapes)
    mirrored = 0
    for index in range(6):
        for epoch in range(5):
            face, *_, shape = shaped[(epoch, index)]
            np.testing.assert_array_equal(face, plain[(epoch, index)][0])
            seed = np.random.SeedSequence((1, epoch, index)).generate_state(1)[0]
            _, flipped = augment_face(make_transform(), draw(index, index), int(seed))
            assert shape.tolist() == [float(flipped)] * 4
            mirrored += flipped
    assert 5 < mirrored < 25


def test_every_epoch_has_every_face_once_in_another_order():
    sampler = EpochSampler(50, seed=1)
    orders = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        keys = list(sampler)
        assert {key[0] for key in keys} == {epoch}
        orders.append([index for _, index in keys])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert orders[0] != orders[1]
    assert list(EpochSampler(50, seed=2)) != [(0, index) for index in orders[0]]


def test_workers_do_not_change_the_batches(draw):
    alone = make_training_loader(dataset(draw), batch=3, seed=1, workers=0)
    helped = make_training_loader(dataset(draw), batch=3, seed=1, workers=2)
    for epoch in range(2):
        for one, other in zip(batches(alone, epoch), batches(helped, epoch), strict=True):
            np.testing.assert_array_equal(one, other)


def test_only_full_batches_are_given_unless_there_are_too_few_faces(draw):
    assert len(make_training_loader(dataset(draw, 7), batch=3, seed=1, workers=0)) == 2
    (batch,) = batches(make_training_loader(dataset(draw, 7), batch=96, seed=1, workers=0), 0)
    assert len(batch) == 7


def test_one_face_cannot_be_trained_on(draw):
    with pytest.raises(DataError, match="only one face"):
        make_training_loader(dataset(draw, 1), batch=8, seed=1, workers=0)


def test_loading_draws_nothing_from_the_generator_of_dropout_and_mixup(draw):
    loader = make_training_loader(dataset(draw), batch=3, seed=1, workers=0)
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    iter(loader)
    assert torch.equal(torch.rand(3), untouched)


def spread(kind, by, face, measure):
    """How far ``measure`` of the augmented face strays, with ``kind`` augmented more."""
    transform = make_transform({kind}, by)
    return np.std([measure(augment_face(transform, face, seed)[0]) for seed in range(150)])


def detail(face):
    return np.abs(np.diff(face.astype(float), axis=1)).mean()


@pytest.mark.parametrize(("kind", "measure"), [(LIGHT, np.mean), (SHARPNESS, detail)])
def test_property_that_is_augmented_more_varies_more_and_no_other(face, kind, measure):
    usual = spread(kind, 0.0, face, measure)
    assert spread(kind, 1.0, face, measure) > 1.2 * usual
    other = {LIGHT: POSE, SHARPNESS: LIGHT}[kind]
    plain, more = make_transform(), make_transform({other}, 0.0)
    np.testing.assert_array_equal(augment_face(plain, face, 3)[0], augment_face(more, face, 3)[0])


def part(name, *options):
    """The transform of that name in the pipeline."""
    (found,) = [each for each in make_transform(*options) if type(each).__name__ == name]
    return found


def test_pose_that_is_augmented_more_turns_further_and_sharpness_suffers_more_often():
    assert part("Affine", {POSE}, 1.0).rotate == (-30, 30)
    assert part("Affine").rotate == (-15, 15)
    assert part("OneOf", {SHARPNESS}, 1.0).p == 2 * part("OneOf").p


def test_each_face_is_augmented_as_its_own_group_asks(draw):
    plain = dataset(draw)
    mixed = dataset(draw, stronger=[{LIGHT}, *[set()] * 5], extra=3.0)
    differs = [
        any((plain[(epoch, index)][0] != mixed[(epoch, index)][0]).any() for epoch in range(8))
        for index in range(6)
    ]
    assert differs == [True] + [False] * 5
