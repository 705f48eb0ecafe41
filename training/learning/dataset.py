"""What a run learns from each face: its target, its votes, its shape and how much it counts."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

from core.faces.preprocess import Preprocessing
from core.labels import EMOTIONS
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Float32Array

from ..data.balance import (
    compute_emotion_weights,
    compute_group_weights,
    find_hard_properties,
    slice_pictures,
)
from ..data.faces import FaceSet
from ..data.shapes import read_shapes
from ..data.votes import VOTE_CLASSES, fit_label_prior, read_votes
from .loader import AugmentedFaces
from .recipe import Recipe


def build_dataset(
    recipe: Recipe,
    faces: FaceSet,
    preprocessing: Preprocessing,
    *,
    votes: Path | None,
    landmarks: Path | None,
) -> AugmentedFaces:
    """Return ``faces`` ready for training; landmarks that the file lacks are added to it."""
    shapes = None
    if landmarks is not None and recipe.shape > 0:
        shapes = read_shapes(landmarks, faces, mesh=FaceMeshLandmarks)
    targets, distribution = _make_targets(recipe, faces, votes)
    weights, stronger = _balance_faces(recipe, faces)
    return AugmentedFaces(
        faces,
        # The loss is linear in the target: weighting one weights the other.
        targets * weights[:, None],
        distribution,
        preprocessing=preprocessing,
        seed=recipe.seed,
        shapes=shapes,
        stronger=stronger,
        extra=recipe.group_augmentation,
    )


def _make_targets(
    recipe: Recipe, faces: FaceSet, votes: Path | None
) -> tuple[Float32Array, Float32Array]:
    """Return (N, 7) target distributions and (N, 8) shares of the votes, zeros without votes."""
    classes = len(EMOTIONS)
    one_hot: Float32Array = np.eye(classes, dtype=np.float32)[faces.labels]
    smooth = recipe.label_smoothing
    if votes is None:
        no_votes = np.zeros((len(faces), VOTE_CLASSES), dtype=np.float32)
        return (1 - smooth) * one_hot + smooth / classes, no_votes
    crowd = read_votes(votes, faces.names)
    share = recipe.votes_prior
    prior = fit_label_prior(crowd, faces.labels)
    targets = (1 - smooth - share) * one_hot + share * prior + smooth / classes
    return targets.astype(np.float32), crowd.distribution()


def _balance_faces(
    recipe: Recipe, faces: FaceSet
) -> tuple[Float32Array, Sequence[AbstractSet[str]] | None]:
    """Return (N,) weights of mean 1 for the loss on the labels, and what to augment more."""
    weights = compute_emotion_weights(faces.labels, recipe.emotion_balance)
    if not (recipe.group_balance or recipe.group_augmentation):
        return weights, None
    slicings = slice_pictures(faces.images, FaceMeshLandmarks())
    weights = weights * compute_group_weights(faces.labels, slicings, recipe.group_balance)
    return weights, find_hard_properties(slicings)
