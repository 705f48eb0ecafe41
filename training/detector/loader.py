"""Batches of augmented photos with their faces, reproducible by the seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from core.detectors.compact import PAD_TO
from core.errors import DataError

from .augment import TILES, Framing, augment_photo, build_photo_transform, draw_window
from .photos import EncodedPhoto, FaceBoxes
from .recipe import DetectorRecipe

Key = tuple[int, int, int, int]
"""Epoch, place in the epoch, which photo, side of the picture."""
Sample = tuple[Tensor, Tensor, Tensor]
Batch = tuple[Tensor, Tensor, Tensor]
"""(B, 3, S, S) uint8 pictures; (B, M, 4) boxes; (B, M) kinds of boxes, see :data:`FACE`."""
FACE, NOTHING, IGNORED = 1, 0, -1
"""Kinds of boxes: a face to be found, padding, a face that does not count."""
_SIZES = (0.75, 1.0, 1.25)
"""Sides of the batches as shares of the recipe's."""
_MOST = 96
"""Faces learnt in one picture; of more, the smallest are ignored."""


class AugmentedPhotos(Dataset[Batch]):
    """Photos with faces, then those without; the same key always gives the same picture."""

    def __init__(
        self,
        photos: Sequence[EncodedPhoto],
        negatives: Sequence[EncodedPhoto],
        recipe: DetectorRecipe,
    ) -> None:
        self._photos = (*photos, *negatives)
        self._with_faces = len(photos)
        self._recipe = recipe
        self._transforms = {
            (side, framing): build_photo_transform(side, framing)
            for side in batch_sides(recipe)
            for framing in Framing
        }

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, keys: Sequence[Key]) -> Batch:
        """Return the pictures of all ``keys``, which have the same side."""
        return collate([self.picture(key) for key in keys])

    def picture(self, key: Key) -> Sample:
        """Return the (3, S, S) uint8 picture, (M, 4) boxes and their (M,) kinds for a key."""
        epoch, place, chosen, side = key
        sequence = np.random.SeedSequence((self._recipe.seed, epoch, place))
        draw = np.random.default_rng(sequence)
        own = [self._photos[chosen]]
        framing, window = Framing.ANY, None
        # Photos without a face have nothing to frame and are not combined.
        if chosen < self._with_faces and draw.random() < self._recipe.mosaic:
            framing = Framing.MOSAIC
            others = draw.integers(len(self._photos), size=TILES - 1)
            own += [self._photos[int(index)] for index in others]
        sources = [(photo.pixels(), photo.faces) for photo in own]
        may_focus = framing is Framing.ANY and chosen < self._with_faces
        if may_focus and draw.random() < self._recipe.focus:
            pixels, faces = sources[0]
            window = draw_window((pixels.shape[1], pixels.shape[0]), faces, side, draw)
            framing = Framing.FACE if window else Framing.ANY
        shown, faces = augment_photo(
            self._transforms[side, framing],
            sources,
            int(sequence.generate_state(1)[0]),
            window=window,
        )
        boxes, kinds = _select_boxes(faces, self._recipe.smallest_px)
        picture = np.ascontiguousarray(shown.transpose(2, 0, 1))
        return torch.from_numpy(picture), torch.from_numpy(boxes), torch.from_numpy(kinds)


def _select_boxes(
    faces: FaceBoxes, smallest_px: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the boxes, the largest first, and their kinds."""
    sizes = (faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2]).min(axis=1, initial=np.inf)
    order = np.argsort(-sizes, kind="stable")
    ignored = (faces.ignored | (sizes < smallest_px))[order]
    ignored[_MOST:] = True
    kinds = np.where(ignored, IGNORED, FACE).astype(np.int64)
    return np.ascontiguousarray(faces.boxes_xyxy[order], np.float32), kinds


def batch_sides(recipe: DetectorRecipe) -> tuple[int, ...]:
    """Return the sides that a batch may have, in pixels."""
    steps = {max(1, round(recipe.input_px * share / PAD_TO)) for share in _SIZES}
    return tuple(step * PAD_TO for step in sorted(steps))


class PhotoSampler(Sampler[list[Key]]):
    """Batches of keys: every photo with faces once an epoch, and among them some without.

    Those without a face are drawn by ``hardness``, one value for each: how surely the detector
    last saw a face there. All of a batch have one side, which seed, epoch and batch decide.
    """

    def __init__(
        self, photos: int, recipe: DetectorRecipe, hardness: NDArray[np.float64] | None = None
    ) -> None:
        self._photos = photos
        self._recipe = recipe
        self.hardness = np.zeros(0) if hardness is None else hardness
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; called at the start of each one, also after a resume."""
        self._epoch = epoch

    @property
    def _size(self) -> int:
        share = self._recipe.negatives if len(self.hardness) else 0.0
        return round(self._photos / (1 - share))

    def __len__(self) -> int:
        return self._size // self._recipe.batch

    def __iter__(self) -> Iterator[list[Key]]:
        draw = np.random.default_rng((self._recipe.seed, self._epoch))
        order = np.arange(self._photos)
        without = self._size - self._photos
        if without:
            # A minimum, so that every photo has a chance.
            odds = self.hardness + 0.1
            drawn = draw.choice(len(odds), size=without, p=odds / odds.sum())
            order = np.concatenate([order, self._photos + drawn])
        order = draw.permutation(order)
        choices = batch_sides(self._recipe)
        # Large batches are rarer: every size gets as much time.
        odds = 1 / np.square(choices)
        batch = self._recipe.batch
        for start in range(0, len(self) * batch, batch):
            side = int(draw.choice(choices, p=odds / odds.sum()))
            yield [
                (self._epoch, start + offset, int(order[start + offset]), side)
                for offset in range(batch)
            ]


def collate(samples: Sequence[Sample]) -> Batch:
    """Return one batch, its boxes padded with :data:`NOTHING`."""
    most = max(1, *(len(kinds) for _, _, kinds in samples))
    boxes = torch.zeros(len(samples), most, 4)
    kinds = torch.full((len(samples), most), NOTHING)
    for row, (_, own, what) in enumerate(samples):
        boxes[row, : len(own)] = own
        kinds[row, : len(what)] = what
    return torch.stack([picture for picture, _, _ in samples]), boxes, kinds


def make_photo_loader(
    dataset: AugmentedPhotos, sampler: PhotoSampler, *, workers: int
) -> DataLoader[Batch]:
    """Return batches in the order of :class:`PhotoSampler`; DataError if not even one is full."""
    if len(sampler) < 1:
        raise DataError(
            "There are fewer photos than one batch takes.",
            hint="Give more photos, or a smaller --set batch=…",
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
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )
