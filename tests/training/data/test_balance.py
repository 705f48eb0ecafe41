"""Weights and stronger augmentation for faces of rare emotions and hard groups."""

from __future__ import annotations

import numpy as np
import pytest

import training.learning.loader
from training.data.augment import LIGHT, POSE, SHARPNESS
from training.data.balance import (
    HARDEST_GROUPS,
    compute_emotion_weights,
    compute_group_weights,
    find_hard_properties,
)
from training.data.faces import FaceSet
from training.data.slices import Slicing
from training.learning.loader import _balance_faces
from training.learning.train import TrainingOptions, train_model


def make_slicing(name, member, groups=("first", "second")):
    return Slicing(name, "", groups, np.asarray(member))


def total(weights, *inside):
    return float(weights[np.logical_and.reduce(inside)].sum())


def test_emotions_count_equally_or_by_the_root_of_their_number():
    labels = np.array([0] * 90 + [1] * 10)
    equal = compute_emotion_weights(labels, 1.0)
    assert total(equal, labels == 0) == pytest.approx(total(equal, labels == 1))
    by_root = compute_emotion_weights(labels, 0.5)
    assert total(by_root, labels == 0) == pytest.approx(3 * total(by_root, labels == 1))
    assert equal.mean() == pytest.approx(by_root.mean()) == pytest.approx(1)
    assert (compute_emotion_weights(labels, 0.0) == 1).all()


def test_groups_of_all_slicings_count_equally_within_each_emotion():
    generator = np.random.default_rng(0)
    labels = (generator.random(4000) < 0.2).astype(np.int64)
    turned = (generator.random(4000) < 0.1 + 0.1 * labels).astype(np.int64)
    # Most turned faces are dark too, so weights for one slicing change the other.
    dark = (generator.random(4000) < 0.2 + 0.6 * turned).astype(np.int64)
    slicings = [make_slicing("turned", turned), make_slicing("dark", dark)]
    weights = compute_group_weights(labels, slicings, 1.0)
    for label in (0, 1):
        same_label = labels == label
        assert weights[same_label].mean() == pytest.approx(1, rel=1e-4)
        for member in (turned, dark):
            first, second = (total(weights, same_label, member == group) for group in (0, 1))
            assert first == pytest.approx(second, rel=1e-3)
    by_root = compute_group_weights(labels, slicings, 0.5)
    first, second = (total(by_root, labels == 0, turned == group) for group in (0, 1))
    counts = [(turned[labels == 0] == group).sum() for group in (0, 1)]
    assert first / second == pytest.approx((counts[0] / counts[1]) ** 0.5, rel=1e-3)
    assert compute_group_weights(labels, slicings, 0.0) == pytest.approx(1)


def test_face_in_no_group_keeps_its_weight():
    member = np.array([0] * 8 + [1] * 2 + [-1] * 10)
    weights = compute_group_weights(np.zeros(20, np.int64), [make_slicing("pose", member)], 1.0)
    assert weights[10:] == pytest.approx(1)
    assert weights[0] == pytest.approx(5 / 8)
    assert weights[8] == pytest.approx(5 / 2)


def test_hard_properties_of_a_face_come_from_its_groups():
    fifths = ("1", "2", "3", "4", "5")
    slicings = [
        make_slicing("brightness", [0, 4, 2, 2], fifths),
        make_slicing("contrast", [2, 2, 2, 2], fifths),
        make_slicing("sharpness", [0, 4, 2, 2], fifths),
        make_slicing("light_asymmetry", [0, 0, 0, 0], fifths),
        make_slicing("yaw", [0, 0, 3, -1], ("a", "b", "c", "d")),
        make_slicing("roll", [0, 0, 0, -1], ("a", "b", "c")),
        make_slicing("mesh", [0, 0, 0, 1], ("found", "not found")),
    ]
    assert find_hard_properties(slicings) == [{LIGHT, SHARPNESS}, set(), {POSE}, {POSE}]
    assert set(HARDEST_GROUPS) == {LIGHT, SHARPNESS, POSE}


@pytest.fixture
def faces(draw):
    images = np.stack([draw(index % 2, index) for index in range(10)])
    labels = np.array([0] * 8 + [1] * 2)
    return FaceSet(images, labels, tuple(map(str, range(10))))


def test_shipped_recipe_changes_nothing_and_needs_no_mesh(faces, small_recipe, monkeypatch):
    monkeypatch.setattr(
        training.learning.loader, "slice_pictures", lambda *_: pytest.fail("the mesh was used")
    )
    weights, stronger = _balance_faces(small_recipe(), faces)
    assert (weights == 1).all()
    assert stronger is None


def test_recipe_decides_what_is_balanced(faces, small_recipe, monkeypatch):
    slicings = [
        make_slicing(name, [0] * 5 + [1] * 5)
        for groups in HARDEST_GROUPS.values()
        for name in groups
    ]
    monkeypatch.setattr(training.learning.loader, "slice_pictures", lambda *_: slicings)
    emotions, _ = _balance_faces(small_recipe(emotion_balance=1), faces)
    assert total(emotions, faces.labels == 0) == pytest.approx(total(emotions, faces.labels == 1))
    groups, _ = _balance_faces(small_recipe(group_balance=1), faces)
    # Of the first emotion five are in the first group and three in the second.
    assert groups[:8] == pytest.approx([4 / 5] * 5 + [4 / 3] * 3)
    _, stronger = _balance_faces(small_recipe(group_augmentation=1), faces)
    assert stronger == [{LIGHT, SHARPNESS}] * 5 + [{POSE}] * 5


class Stopped(Exception):
    """Ends a training once the test has seen enough."""


def test_training_uses_the_weights_and_the_stronger_augmentation(
    faces_dir, small_recipe, tmp_path, monkeypatch
):
    given = {}

    def record(_faces, targets, _votes, **options):
        given.update(options, targets=targets)
        raise Stopped

    stronger = [{LIGHT}] * 28
    monkeypatch.setattr(
        training.learning.loader, "_balance_faces", lambda *_: (np.full(28, 0.5), stronger)
    )
    monkeypatch.setattr(training.learning.loader, "AugmentedFaces", record)
    with pytest.raises(Stopped):
        train_model(
            small_recipe(group_augmentation=2), [faces_dir], tmp_path, TrainingOptions("scratch")
        )
    assert given["targets"].sum(axis=1) == pytest.approx(0.5)
    assert (given["stronger"], given["extra"]) == (stronger, 2.0)


@pytest.mark.parametrize("mixup_chance", [0, 1])
def test_weight_of_a_face_scales_its_part_of_the_loss(small_recipe, mixup_chance):
    import torch

    from training.learning.initial import SCRATCH, make_initial_network
    from training.learning.module import EmotionModule

    recipe = small_recipe(votes_head=0, mixup_chance=mixup_chance, dropout=0)
    module = EmotionModule(recipe, make_initial_network(recipe, SCRATCH), steps=1, max_seconds=None)
    module.eval()
    faces = torch.randint(0, 255, (4, 32, 32), dtype=torch.uint8)
    votes, none = torch.zeros(4, 8), torch.zeros(4, 0)

    def loss(weights):
        targets = torch.eye(7)[[0, 1, 2, 3]] * torch.tensor(weights)[:, None]
        torch.manual_seed(1)
        return module.loss((faces, targets, votes, none, none)).item()

    alone = [loss([float(place == index) for place in range(4)]) for index in range(4)]
    assert loss([0.5, 1.0, 3.0, 0.0]) == pytest.approx(
        0.5 * alone[0] + alone[1] + 3 * alone[2], rel=1e-4
    )
