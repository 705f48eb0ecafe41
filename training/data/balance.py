"""What favours faces that a network would else learn least about: mitigation by training.

Groups of faces are those of :mod:`.studies.slices`, made from the training faces alone. They part
pictures by light, sharpness and pose, not people.
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
"""Of raking; the shares of all groups are then right to a thousandth."""
HARDEST_GROUPS: Mapping[str, Mapping[str, int]] = {
    LIGHT: {"brightness": 0, "contrast": 0},
    SHARPNESS: {"sharpness": 0},
    POSE: {"yaw": -1, "roll": -1, "mesh": -1},
}
"""By what is augmented more: slicings, and the group of each that shows least of a face. They
are the darkest and the flattest fifth, the most blurred one, heads turned or tilted furthest, and
faces in which the mesh finds none."""


def slice_pictures(images: UInt8Array, mesh: LandmarkModel) -> list[Slicing]:
    """How (N, 48, 48) uint8 faces are parted by what can be told without knowing the person."""
    return [*slice_by_appearance(images), *slice_by_mesh(list(find_landmarks(images, mesh)))]


def compute_emotion_weights(labels: NDArray[np.int64], balance: float) -> Float32Array:
    """(N,) weights of mean 1: at ``balance`` 1 all emotions weigh alike, at 0 all faces."""
    counts = np.bincount(labels)[labels].astype(np.float64)
    return _of_mean_one(counts**-balance)


def compute_group_weights(
    labels: NDArray[np.int64], slicings: Sequence[Slicing], balance: float
) -> Float32Array:
    """(N,) weights of mean 1 that leave every emotion its share.

    Within each emotion the groups of every slicing weigh alike at ``balance`` 1, and between
    that and their share of the faces below it. Raking (Deming & Stephan 1940) finds weights
    that fit all slicings at once. A face without a group counts there as it is.
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
    return _of_mean_one(weights)


def _of_mean_one(weights: NDArray[np.float64]) -> Float32Array:
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def find_hard_properties(slicings: Sequence[Slicing]) -> list[frozenset[str]]:
    """For each of N faces the properties in which it shows least, of :data:`HARDEST_GROUPS`."""
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
