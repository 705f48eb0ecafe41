"""What favours faces of rare emotions and groups, made from the training faces alone."""

from __future__ import annotations

import numpy as np
import pytest

import training.learning.dataset
from training.data.augment import LIGHT, POSE, SHARPNESS
from training.data.balance import (
    HARDEST_GROUPS,
    compute_emotion_weights,
    compute_group_weights,
    find_hard_properties,
)
from training.data.faces import FaceSet
from training.data.slices import Slicing
from training.learning.dataset import _balance_faces
from training.learning.train import train_model


def slicing(name, member, groups=("first", "second")):
    return Slicing(name, "", groups, np.asarray(member))


def total(weights, *inside):
    return float(weights[np.logical_and.reduce(inside)].sum())


def test_emotions_weigh_alike_or_by_the_root_of_their_number():
    labels = np.array([0] * 90 + [1] * 10)
    alike = compute_emotion_weights(labels, 1.0)
    assert total(alike, labels == 0) == pytest.approx(total(alike, labels == 1))
    by_root = compute_emotion_weights(labels, 0.5)
    assert total(by_root, labels == 0) == pytest.approx(3 * total(by_root, labels == 1))
    assert alike.mean() == pytest.approx(by_root.mean()) == pytest.approx(1)
    assert (compute_emotion_weights(labels, 0.0) == 1).all()


def test_groups_weigh_alike_within_each_emotion_in_every_grouping_at_once():
    generator = np.random.default_rng(0)
    labels = (generator.random(4000) < 0.2).astype(np.int64)
    turned = (generator.random(4000) < 0.1 + 0.1 * labels).astype(np.int64)
    # Most turned faces are dark as well: a weight for the one grouping moves the other.
    dark = (generator.random(4000) < 0.2 + 0.6 * turned).astype(np.int64)
    groupings = [slicing("turned", turned), slicing("dark", dark)]
    weights = compute_group_weights(labels, groupings, 1.0)
    for label in (0, 1):
        of_it = labels == label
        assert weights[of_it].mean() == pytest.approx(1, rel=1e-4)
        for member in (turned, dark):
            first, second = (total(weights, of_it, member == group) for group in (0, 1))
            assert first == pytest.approx(second, rel=1e-3)
    by_root = compute_group_weights(labels, groupings, 0.5)
    first, second = (total(by_root, labels == 0, turned == group) for group in (0, 1))
    counts = [(turned[labels == 0] == group).sum() for group in (0, 1)]
    assert first / second == pytest.approx((counts[0] / counts[1]) ** 0.5, rel=1e-3)
    assert compute_group_weights(labels, groupings, 0.0) == pytest.approx(1)


def test_face_without_a_group_counts_as_it_is():
    member = np.array([0] * 8 + [1] * 2 + [-1] * 10)
    weights = compute_group_weights(np.zeros(20, np.int64), [slicing("pose", member)], 1.0)
    assert weights[10:] == pytest.approx(1)
    assert weights[0] == pytest.approx(5 / 8)
    assert weights[8] == pytest.approx(5 / 2)


def test_each_face_is_known_by_what_it_shows_least_of():
    fifths = ("1", "2", "3", "4", "5")
    slicings = [
        slicing("brightness", [0, 4, 2, 2], fifths),
        slicing("contrast", [2, 2, 2, 2], fifths),
        slicing("sharpness", [0, 4, 2, 2], fifths),
        slicing("light_asymmetry", [0, 0, 0, 0], fifths),
        slicing("yaw", [0, 0, 3, -1], ("a", "b", "c", "d")),
        slicing("roll", [0, 0, 0, -1], ("a", "b", "c")),
        slicing("mesh", [0, 0, 0, 1], ("found", "not found")),
    ]
    assert find_hard_properties(slicings) == [{LIGHT, SHARPNESS}, set(), {POSE}, {POSE}]
    assert set(HARDEST_GROUPS) == {LIGHT, SHARPNESS, POSE}


@pytest.fixture
def faces(draw):
    images = np.stack([draw(index % 2, index) for index in range(10)])
    labels = np.array([0] * 8 + [1] * 2)
    return FaceSet(images, labels, tuple(map(str, range(10))))


def test_recipe_as_shipped_favours_nobody_and_asks_no_mesh(faces, small_recipe, monkeypatch):
    monkeypatch.setattr(
        training.learning.dataset, "slice_pictures", lambda *_: pytest.fail("asked")
    )
    weights, more = _balance_faces(small_recipe(), faces)
    assert (weights == 1).all()
    assert more is None


def test_recipe_decides_who_is_balance_faces(faces, small_recipe, monkeypatch):
    every = [
        slicing(name, [0] * 5 + [1] * 5) for groups in HARDEST_GROUPS.values() for name in groups
    ]
    monkeypatch.setattr(training.learning.dataset, "slice_pictures", lambda *_: every)
    emotions, _ = _balance_faces(small_recipe(emotion_balance=1), faces)
    assert total(emotions, faces.labels == 0) == pytest.approx(total(emotions, faces.labels == 1))
    groups, _ = _balance_faces(small_recipe(group_balance=1), faces)
    # Of the first emotion five are in the first group and three in the second.
    assert groups[:8] == pytest.approx([4 / 5] * 5 + [4 / 3] * 3)
    _, more = _balance_faces(small_recipe(group_augmentation=1), faces)
    assert more == [{LIGHT, SHARPNESS}] * 5 + [{POSE}] * 5


class Caught(Exception):
    """What ends a training that has told enough."""


def test_training_uses_the_weights_and_the_stronger_augmentation(
    faces_dir, small_recipe, tmp_path, monkeypatch
):
    told = {}

    def caught(_faces, targets, _opinions, **options):
        told.update(options, targets=targets)
        raise Caught

    more = [{LIGHT}] * 28
    monkeypatch.setattr(
        training.learning.dataset, "_balance_faces", lambda *_: (np.full(28, 0.5), more)
    )
    monkeypatch.setattr(training.learning.dataset, "AugmentedFaces", caught)
    with pytest.raises(Caught):
        train_model(small_recipe(group_augmentation=2), [faces_dir], tmp_path, init="scratch")
    assert told["targets"].sum(axis=1) == pytest.approx(0.5)
    assert (told["stronger"], told["extra"]) == (more, 2.0)


@pytest.mark.parametrize("mixup_chance", [0, 1])
def test_face_with_weight_counts_so_often_in_the_loss(small_recipe, mixup_chance):
    import torch

    from training.learning.initial import SCRATCH, make_initial_network
    from training.learning.module import EmotionModule

    recipe = small_recipe(votes_head=0, mixup_chance=mixup_chance, dropout=0)
    module = EmotionModule(recipe, make_initial_network(recipe, SCRATCH), steps=1, max_seconds=None)
    module.eval()
    shown = torch.randint(0, 255, (4, 32, 32), dtype=torch.uint8)
    opinions, shapes = torch.zeros(4, 8), torch.zeros(4, 0)

    def loss(weights):
        targets = torch.eye(7)[[0, 1, 2, 3]] * torch.tensor(weights)[:, None]
        torch.manual_seed(1)
        return module.loss((shown, targets, opinions, shapes)).item()

    alone = [loss([float(place == index) for place in range(4)]) for index in range(4)]
    assert loss([0.5, 1.0, 3.0, 0.0]) == pytest.approx(
        0.5 * alone[0] + alone[1] + 3 * alone[2], rel=1e-4
    )
