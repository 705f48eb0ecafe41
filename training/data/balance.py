"""Giving more weight to faces that a network would learn least about.

The groups of faces come from :mod:`.slices` and from the training faces alone. They divide
pictures by light, sharpness and pose; they are not groups of people.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.landmarks import LandmarkModel
from core.types import Float32Array, UInt8Array

from .anchors import find_landmarks
from .augment import LIGHT, POSE, SHARPNESS
from .slices import Slicing, slice_by_appearance, slice_by_mesh

ROUNDS = 50
"""Rounds of raking, after which the shares of all groups are exact to a thousandth."""
HARDEST_GROUPS: Mapping[str, Mapping[str, int]] = {
    LIGHT: {"brightness": 0, "contrast": 0},
    SHARPNESS: {"sharpness": 0},
    POSE: {"yaw": -1, "roll": -1, "mesh": -1},
}
"""By kind of augmentation: slicings, and the index of the hardest group of each. These are the
darkest fifth, the fifth with the least contrast, the most blurred fifth, the heads that are turned
or tilted furthest, and the faces that the mesh does not find."""


def slice_pictures(images: UInt8Array, mesh: LandmarkModel) -> list[Slicing]:
    """Return all slicings of (N, 48, 48) uint8 faces that need only the pictures."""
    return [*slice_by_appearance(images), *slice_by_mesh(list(find_landmarks(images, mesh)))]


def compute_emotion_weights(labels: NDArray[np.int64], balance: float) -> Float32Array:
    """Return (N,) weights of mean 1: at ``balance`` 1 emotions count equally, at 0 faces do."""
    counts = np.bincount(labels)[labels].astype(np.float64)
    return _scale_to_mean_one(counts**-balance)


def compute_group_weights(
    labels: NDArray[np.int64], slicings: Sequence[Slicing], balance: float
) -> Float32Array:
    """Return (N,) weights of mean 1 that keep every emotion's share.

    Within each emotion the groups of every slicing count equally at ``balance`` 1, as their
    number of faces at 0, and in between otherwise. Raking (Deming & Stephan 1940) finds weights
    that fit all slicings at once. A slicing does not change the weight of a face in no group.
    """
    weights = np.ones(len(labels))
    cells = [
        [
            np.flatnonzero((labels == label) & (slicing.member == group))
            for group in range(len(slicing.groups))
        ]
        for slicing, label in itertools.product(slicings, np.unique(labels))
    ]
    for _ in range(ROUNDS):
        for groups in cells:
            filled = [group for group in groups if len(group)]
            sizes = np.array([len(group) for group in filled], np.float64)
            wanted = sizes ** (1 - balance)
            wanted *= sizes.sum() / wanted.sum()
            for group, target in zip(filled, wanted, strict=True):
                weights[group] *= target / weights[group].sum()
    for label in np.unique(labels):
        inside = labels == label
        weights[inside] /= weights[inside].mean()
    return _scale_to_mean_one(weights)


def _scale_to_mean_one(weights: NDArray[np.float64]) -> Float32Array:
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def find_hard_properties(slicings: Sequence[Slicing]) -> list[frozenset[str]]:
    """Return for each of N faces the keys of :data:`HARDEST_GROUPS` for which it is in a group."""
    by_name = {slicing.name: slicing for slicing in slicings}
    count = len(slicings[0].member)
    masks = {
        kind: np.any(
            [
                by_name[name].member == range(len(by_name[name].groups))[group]
                for name, group in groups.items()
                if by_name[name].groups
            ],
            axis=0,
        )
        for kind, groups in HARDEST_GROUPS.items()
    }
    return [
        frozenset(kind for kind, mask in masks.items() if mask[index]) for index in range(count)
    ]
