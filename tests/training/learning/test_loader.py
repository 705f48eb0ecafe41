"""Batches of augmented faces: decided by seed, epoch and index, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import DataError
from core.faces.preprocess import Preprocessing
from training.data.augment import LIGHT, augment_face, make_transform
from training.data.faces import FaceSet
from training.learning.loader import (
    AugmentedFaces,
    EpochSampler,
    build_dataset,
    make_training_loader,
)

SIDE = 32


def make_dataset(draw, count=6, seed=1, **options):
    images = np.stack([draw(index % 7, index) for index in range(count)])
    targets = np.eye(7, dtype=np.float32)[np.arange(count) % 7]
    votes = np.zeros((count, 8), dtype=np.float32)
    return AugmentedFaces(
        images,
        targets,
        votes,
        preprocessing=Preprocessing(SIDE, 0.5, 0.5),
        seed=seed,
        **options,
    )


def load_epoch(loader, epoch):
    loader.sampler.set_epoch(epoch)
    return [faces.numpy().copy() for faces, *_ in loader]


def test_item_does_not_depend_on_earlier_items(draw):
    one, other = make_dataset(draw), make_dataset(draw)
    for key in ((0, 0), (3, 5), (1, 2)):
        other[key]
    np.testing.assert_array_equal(one[(2, 4)][0], other[(2, 4)][0])


def test_item_changes_with_epoch_index_and_seed(draw):
    faces = make_dataset(draw)
    here = faces[(2, 4)][0].numpy()
    assert (here != faces[(3, 4)][0].numpy()).any()
    assert (here != faces[(2, 5)][0].numpy()).any()
    assert (here != make_dataset(draw, seed=2)[(2, 4)][0].numpy()).any()


def test_item_is_a_face_at_the_network_s_size_with_its_target_and_votes(draw):
    face, target, votes, shape, taught = make_dataset(draw)[(0, 3)]
    assert (face.shape, face.dtype) == ((SIDE, SIDE), torch.uint8)
    assert target.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert votes.shape == (8,)
    assert shape.shape == taught.shape == (0,)


def test_mirrored_face_comes_with_the_mirrored_shape(draw):
    plain = make_dataset(draw)
    shapes = np.zeros((6, 2, 4), np.float32)
    shapes[:, 1] = 1
    shaped = make_dataset(draw, shapes=shapes)
    mirrored = 0
    for index in range(6):
        for epoch in range(5):
            face, _, _, shape, _ = shaped[(epoch, index)]
            np.testing.assert_array_equal(face, plain[(epoch, index)][0])
            seed = np.random.SeedSequence((1, epoch, index)).generate_state(1)[0]
            _, flipped = augment_face(make_transform(), draw(index, index), int(seed))
            assert shape.tolist() == [float(flipped)] * 4
            mirrored += flipped
    assert 5 < mirrored < 25


def test_augmentation_is_stronger_only_for_the_faces_that_need_it(draw):
    plain = make_dataset(draw)
    mixed = make_dataset(draw, stronger=[{LIGHT}, *[set()] * 5], extra=3.0)
    differs = [
        any((plain[(epoch, index)][0] != mixed[(epoch, index)][0]).any() for epoch in range(8))
        for index in range(6)
    ]
    assert differs == [True] + [False] * 5


def test_every_epoch_has_every_face_once_in_a_new_order():
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
    alone = make_training_loader(make_dataset(draw), batch=3, seed=1, workers=0)
    with_workers = make_training_loader(make_dataset(draw), batch=3, seed=1, workers=2)
    for epoch in range(2):
        for one, other in zip(
            load_epoch(alone, epoch), load_epoch(with_workers, epoch), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_batches_are_full_unless_there_are_too_few_faces(draw):
    assert len(make_training_loader(make_dataset(draw, 7), batch=3, seed=1, workers=0)) == 2
    (batch,) = load_epoch(
        make_training_loader(make_dataset(draw, 7), batch=96, seed=1, workers=0), 0
    )
    assert len(batch) == 7


def test_training_on_a_single_face_is_refused(draw):
    with pytest.raises(DataError, match="only one face"):
        make_training_loader(make_dataset(draw, 1), batch=8, seed=1, workers=0)


def test_loading_leaves_the_generator_of_dropout_and_mixup_alone(draw):
    loader = make_training_loader(make_dataset(draw), batch=3, seed=1, workers=0)
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    iter(loader)
    assert torch.equal(torch.rand(3), untouched)


def sample_keys(monkeypatch, size, world, rank, epoch=0):
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    sampler = EpochSampler(size, seed=1, world_size=world)
    sampler.set_epoch(epoch)
    keys = list(sampler)
    assert len(keys) == len(sampler)
    return keys


def test_processes_share_the_batches_of_a_single_process(monkeypatch):
    alone = sample_keys(monkeypatch, 21, 1, 0)
    parts = [sample_keys(monkeypatch, 21, 2, rank) for rank in (0, 1)]
    assert [len(part) for part in parts] == [10, 10]
    for start in range(0, 20, 4):
        together = {key for part in parts for key in part[start // 2 : start // 2 + 2]}
        assert together == set(alone[start : start + 4])


def test_unlabelled_faces_come_last_without_anything_but_a_picture(draw, small_recipe, tmp_path):
    images = np.stack([draw(index % 7, index) for index in range(6)])
    faces = FaceSet(images, np.arange(6) % 7, tuple(map(str, range(6))))
    more = np.stack([draw(3, 20), draw(4, 21)])
    recipe = small_recipe()
    given = build_dataset(
        recipe, faces, recipe.preprocessing, votes=None, landmarks=None, unlabelled=more
    )
    alone = build_dataset(recipe, faces, recipe.preprocessing, votes=None, landmarks=None)
    assert (len(given), len(alone)) == (8, 6)
    for index in range(6):
        for one, other in zip(given[(0, index)], alone[(0, index)], strict=True):
            np.testing.assert_array_equal(one, other)
    for index in (6, 7):
        _, target, votes, *_ = given[(0, index)]
        assert not target.any()
        assert not votes.any()
    shown = AugmentedFaces(
        more, *[np.zeros((2, n), np.float32) for n in (7, 8)],
        preprocessing=recipe.preprocessing, seed=recipe.seed,
    )  # fmt: skip
    assert given[(0, 6)][0].shape == shown[(0, 0)][0].shape
    assert not torch.equal(given[(0, 6)][0], given[(0, 7)][0])
