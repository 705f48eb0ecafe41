"""Faces ready for training, and batches of them.

Each face comes augmented, with its target, votes and shape. The same seed gives the same batches,
whatever the worker count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset

from core.errors import DataError
from core.faces.preprocess import Preprocessing
from core.labels import EMOTIONS
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Float32Array, UInt8Array

from ..data.augment import augment_face, make_transform
from ..data.balance import (
    compute_emotion_weights,
    compute_group_weights,
    find_hard_properties,
    slice_pictures,
)
from ..data.faces import FaceSet
from ..data.shapes import read_shapes
from ..data.votes import fit_label_prior, fold_contempt, read_votes
from .recipe import Recipe

Key = tuple[int, int]
"""Epoch and index of a face."""
Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Faces, targets, crowd votes, shapes and what teachers said, as :class:`AugmentedFaces` returns
them."""
VOTES_TO_LEARN_FROM = 3
"""A face needs this many votes for one of the seven emotions: fewer say little about a crowd."""
VOTES_TO_COUNT = 5
"""The same for faces that agreement with the crowd is measured on."""


class AugmentedFaces(Dataset[Batch]):
    """Faces at the network's size; the key (epoch, index) always gives the same picture.

    With ``views`` that number of pictures of each face take turns; else every epoch has new ones.
    """

    taught: Float32Array | None = None
    """(views, N, heads, 7) probabilities of teachers (:mod:`.views`)."""

    def __init__(
        self,
        images: UInt8Array,
        targets: Float32Array,
        votes: Float32Array,
        *,
        preprocessing: Preprocessing,
        seed: int,
        shapes: Float32Array | None = None,
        stronger: Sequence[AbstractSet[str]] | None = None,
        extra: float = 0.0,
        views: int = 0,
    ) -> None:
        """``images`` are (N, 48, 48), ``targets`` (N, 7), ``votes`` (N, 8).

        ``stronger`` names for each face the augmentations to widen, ``extra`` by how much.
        """
        self._images = images
        self._targets = targets
        self._votes = votes
        self.has_shapes = shapes is not None
        self._shapes = np.zeros((len(images), 2, 0), np.float32) if shapes is None else shapes
        self._preprocessing = preprocessing
        self._seed = seed
        self._views = views
        self._stronger = list(map(frozenset, stronger or [frozenset()] * len(images)))
        self._transforms = {kinds: make_transform(kinds, extra) for kinds in set(self._stronger)}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, key: Key) -> Batch:
        """Return ((S, S) uint8 face, (7,) target, (8,) votes, shape, taught) for (epoch, index).

        The last of the votes is the share of people who could not tell. The shape is (184,) as
        :func:`training.data.shapes.read_shapes` returns it, or empty. What teachers said is
        (heads, 7), or empty.
        """
        epoch, index = key
        view = epoch % self._views if self._views else epoch
        seed = np.random.SeedSequence((self._seed, view, index)).generate_state(1)[0]
        face = self._preprocessing.resize(self._images[index])
        picture, mirrored = augment_face(self._transforms[self._stronger[index]], face, int(seed))
        return (
            torch.from_numpy(picture),
            torch.from_numpy(self._targets[index]),
            torch.from_numpy(self._votes[index]),
            torch.from_numpy(self._shapes[index, int(mirrored)]),
            torch.zeros(0) if self.taught is None else torch.from_numpy(self.taught[view, index]),
        )


def build_dataset(
    recipe: Recipe,
    faces: FaceSet,
    preprocessing: Preprocessing,
    *,
    votes: Path | None,
    landmarks: Path | None,
    unlabelled: UInt8Array | None = None,
) -> AugmentedFaces:
    """Return ``faces`` ready for training; landmarks that the file lacks are added to it.

    After them come the ``unlabelled`` ones, (M, 48, 48): with targets and votes of zeros and
    unknown shapes, so that nothing but the answers of teachers can be learned from them.
    """
    shapes = None
    if landmarks is not None and recipe.shape > 0:
        shapes = read_shapes(landmarks, faces, mesh=FaceMeshLandmarks)
    targets, distribution = _make_targets(recipe, faces, votes)
    weights, stronger = _balance_faces(recipe, faces)
    # The loss is linear in the target: weighting one weights the other.
    targets = targets * weights[:, None]
    images = faces.images
    if unlabelled is not None and len(unlabelled):
        more = len(unlabelled)
        images = np.concatenate([images, unlabelled])
        targets, distribution = _pad(targets, more, 0.0), _pad(distribution, more, 0.0)
        shapes = None if shapes is None else _pad(shapes, more, np.nan)
        stronger = stronger and [*stronger, *[frozenset[str]()] * more]
    return AugmentedFaces(
        images,
        targets,
        distribution,
        preprocessing=preprocessing,
        seed=recipe.seed,
        shapes=shapes,
        stronger=stronger,
        extra=recipe.group_augmentation,
        views=recipe.views,
    )


def _pad(rows: Float32Array, more: int, value: float) -> Float32Array:
    """Return ``rows`` and after them ``more`` rows filled with ``value``."""
    return np.concatenate([rows, np.full((more, *rows.shape[1:]), value, np.float32)])


def read_vote_shares(faces: FaceSet, votes: Path | None, minimum: int) -> Float32Array:
    """Return the (N, 7) shares of the crowd's votes; zeros where fewer than ``minimum`` counted."""
    if votes is None:
        return np.zeros((len(faces), len(EMOTIONS)), np.float32)
    return read_votes(votes, faces.names).shares(minimum)


def _make_targets(
    recipe: Recipe, faces: FaceSet, votes: Path | None
) -> tuple[Float32Array, Float32Array]:
    """Return (N, 7) target distributions and (N, 8) shares of the votes, zeros without votes.

    The last column is the share of people who could not tell.
    """
    classes = len(EMOTIONS)
    one_hot: Float32Array = np.eye(classes, dtype=np.float32)[faces.labels]
    smooth = recipe.label_smoothing
    if votes is None:
        none = np.zeros((len(faces), classes + 1), np.float32)
        return (1 - smooth) * one_hot + smooth / classes, none
    crowd = read_votes(votes, faces.names)
    share = recipe.votes_prior
    prior = fit_label_prior(crowd, faces.labels)
    targets = (1 - smooth - share) * one_hot + share * prior + smooth / classes
    seen = fold_contempt(crowd, recipe.contempt).shares(VOTES_TO_LEARN_FROM)
    return targets.astype(np.float32), np.column_stack([seen, crowd.doubt])


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


class EpochSampler(Sampler[Key]):
    """Every index once per epoch, in an order that depends on seed and epoch alone.

    Of ``world_size`` processes that train together each takes every ``world_size``-th index, so
    that their parts of a batch together are the batch that one process alone would take.
    """

    def __init__(self, size: int, seed: int, world_size: int = 1, epoch: int = 0) -> None:
        self._size = size
        self._seed = seed
        self._world_size = world_size
        self._epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, also after a resume."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._size // self._world_size

    def __iter__(self) -> Iterator[Key]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._size)
        # Not in __init__: the process group does not exist yet when the sampler is made.
        rank = torch.distributed.get_rank() if self._world_size > 1 else 0
        own = order[: len(self) * self._world_size][rank :: self._world_size]
        return ((self._epoch, int(index)) for index in own)


def make_training_loader(
    dataset: AugmentedFaces,
    *,
    batch: int,
    seed: int,
    workers: int,
    world_size: int = 1,
    epoch: int = 0,
) -> DataLoader[Batch]:
    """Return a loader of shuffled full batches; faces that fill no batch wait for another epoch.

    ``batch`` is the part of this process where ``world_size`` of them train together. ``epoch``
    is the first one, because Lightning starts to load before it sets the sampler's epoch.
    DataError for fewer than two faces: batch normalisation cannot learn from one.
    """
    if len(dataset) < 2:
        raise DataError("There is only one face to train on.", hint="Give more images with --data.")
    size = min(batch, len(dataset) // world_size)
    return DataLoader(
        dataset,
        batch_size=size,
        sampler=EpochSampler(len(dataset), seed, world_size, epoch),
        num_workers=workers,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
        # A separate generator: the start of loading would otherwise draw from the generator of
        # dropout and mixup, and a resumed run, which starts loading elsewhere, would differ.
        generator=torch.Generator().manual_seed(seed),
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )


def make_validation_loader(
    faces: FaceSet, crowd: Float32Array, preprocessing: Preprocessing
) -> DataLoader[Any] | None:
    """Return a loader of plain faces with their labels and (N, 7) shares of votes.

    None without faces.
    """
    if not len(faces):
        return None
    resized = np.stack([preprocessing.resize(face) for face in faces.images])
    arrays = (resized, faces.labels, crowd)
    return DataLoader(TensorDataset(*map(torch.from_numpy, arrays)), batch_size=256)
