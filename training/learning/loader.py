"""Batches of augmented faces, the same for the same seed whatever the number of workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from core.errors import DataError
from core.faces.preprocess import Preprocessing
from core.types import Float32Array

from ..data.augment import augment_face, make_transform
from ..data.faces import FaceSet

Key = tuple[int, int]
Sample = tuple[Tensor, Tensor, Tensor, Tensor]


class AugmentedFaces(Dataset[Sample]):
    """Faces at the network's size; item (epoch, index) is always the same picture."""

    def __init__(
        self,
        faces: FaceSet,
        targets: Float32Array,
        opinions: Float32Array,
        *,
        preprocessing: Preprocessing,
        seed: int,
        shapes: Float32Array | None = None,
        more: Sequence[AbstractSet[str]] | None = None,
        more_by: float = 0.0,
    ) -> None:
        """``more`` names for each face what of it is augmented more, ``more_by`` how much."""
        self._faces = faces
        self._targets = targets
        self._opinions = opinions
        self._shapes = np.zeros((len(faces), 2, 0), np.float32) if shapes is None else shapes
        self._preprocessing = preprocessing
        self._seed = seed
        self._more = list(map(frozenset, more or [frozenset()] * len(faces)))
        self._transforms = {each: make_transform(each, more_by) for each in set(self._more)}

    def __len__(self) -> int:
        return len(self._faces)

    def __getitem__(self, key: Key) -> Sample:
        """((S, S) uint8 face, (7,) target, (8,) crowd opinion, its shape) for (epoch, index).

        The shape is (184,) as :func:`training.data.shapes.read_shapes` tells, or empty without.
        """
        epoch, index = key
        seed = np.random.SeedSequence((self._seed, epoch, index)).generate_state(1)[0]
        face = self._preprocessing.resize(self._faces.images[index])
        shown, mirrored = augment_face(self._transforms[self._more[index]], face, int(seed))
        return (
            torch.from_numpy(shown),
            torch.from_numpy(self._targets[index]),
            torch.from_numpy(self._opinions[index]),
            torch.from_numpy(self._shapes[index, int(mirrored)]),
        )


class EpochSampler(Sampler[Key]):
    """Every index once per epoch, in an order that seed and epoch decide.

    Of several processes that train together each takes every ``world``-th one, so that their
    parts of a batch are together what one process alone would take.
    """

    def __init__(self, size: int, seed: int, world: int = 1) -> None:
        self._size = size
        self._seed = seed
        self._world = world
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, also after a resume."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._size // self._world

    def __iter__(self) -> Iterator[Key]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._size)
        # Asked for here: when the sampler is made, the processes do not know each other yet.
        rank = torch.distributed.get_rank() if self._world > 1 else 0
        mine = order[: len(self) * self._world][rank :: self._world]
        return ((self._epoch, int(index)) for index in mine)


def training_loader(
    dataset: AugmentedFaces, *, batch: int, seed: int, workers: int, world: int = 1
) -> DataLoader[Sample]:
    """Shuffled full batches; the last faces that fill no batch wait for another epoch.

    ``batch`` is the share of this process where ``world`` of them train together. DataError
    for fewer than two faces: batch normalisation cannot learn from one.
    """
    if len(dataset) < 2:
        raise DataError("There is only one face to train on.", hint="Give more images with --data.")
    size = min(batch, len(dataset) // world)
    return DataLoader(
        dataset,
        batch_size=size,
        sampler=EpochSampler(len(dataset), seed, world),
        num_workers=workers,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
        # A generator of its own: else starting to load would draw from the one that dropout and
        # mixup draw from, and a resumed run, which starts loading elsewhere, would differ.
        generator=torch.Generator().manual_seed(seed),
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )
