"""Batches of faces with things drawn over them, reproducible by the seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from core.errors import DataError
from core.types import UInt8Array

from .module import Batch
from .recipe import CoveredRecipe
from .samples import draw_sample

Key = tuple[int, int, int, tuple[bool, ...]]
"""Epoch, place in the epoch, which face, whether each part of it counts as free."""


class DrawnFaces(Dataset[Batch]):
    """Faces with something drawn over many of them; the same key always gives the same sample."""

    def __init__(self, faces: UInt8Array, recipe: CoveredRecipe) -> None:
        self._faces = faces
        self._recipe = recipe

    def __len__(self) -> int:
        return len(self._faces)

    def __getitem__(self, keys: Sequence[Key]) -> Batch:
        """Return the samples of all ``keys``."""
        cv2.setNumThreads(1)  # the pictures are so small that threads only cost time
        samples = [self._make_sample(key) for key in keys]
        pictures = np.stack([picture for picture, _ in samples])[:, None]
        targets = np.stack([target for _, target in samples])
        return torch.from_numpy(pictures), torch.from_numpy(targets)

    def _make_sample(self, key: Key) -> tuple[UInt8Array, NDArray[np.float32]]:
        epoch, place, chosen, trusted = key
        draw = np.random.default_rng((self._recipe.seed, epoch, place))
        other = self._faces[int(draw.integers(len(self._faces)))]
        return draw_sample(
            draw,
            self._faces[chosen],
            other,
            np.array(trusted, np.bool_),
            covered=self._recipe.covered,
            distracted=self._recipe.distracted,
        )


class FaceSampler(Sampler[list[Key]]):
    """Batches of keys, every face once an epoch; ``trusted`` says which parts count as free."""

    def __init__(self, trusted: NDArray[np.bool_], recipe: CoveredRecipe) -> None:
        self.trusted = trusted
        self._recipe = recipe
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; called at the start of each one, also after a resume."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self.trusted) // self._recipe.batch

    def __iter__(self) -> Iterator[list[Key]]:
        draw = np.random.default_rng((self._recipe.seed, self._epoch))
        order = draw.permutation(len(self.trusted))
        batch = self._recipe.batch
        for start in range(0, len(self) * batch, batch):
            rows = order[start : start + batch].tolist()
            yield [
                (self._epoch, start + offset, row, tuple(self.trusted[row].tolist()))
                for offset, row in enumerate(rows)
            ]


def make_face_loader(
    dataset: DrawnFaces, sampler: FaceSampler, *, workers: int
) -> DataLoader[Batch]:
    """Return batches in the order of :class:`FaceSampler`; DataError if not even one is full."""
    if len(sampler) < 1:
        raise DataError(
            "There are fewer faces than one batch takes.",
            hint="Give more faces, or a smaller --set batch=…",
        )
    return DataLoader(
        dataset,
        # The sampler makes the batches, because Lightning passes the epoch only to this argument.
        sampler=sampler,
        batch_size=None,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        # Loading must not change the random state of training.
        generator=torch.Generator().manual_seed(0),
        # The sampler sends which faces count, so workers keep nothing of an epoch.
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )
