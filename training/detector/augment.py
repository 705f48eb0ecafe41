"""Augmentation of photos for training our detector, by albumentations."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import albumentations as A  # noqa: N812 - its documented alias, after the switch above
import numpy as np

from core.types import UInt8Array

from ..data import augment  # noqa: F401 - keeps albumentations from looking for updates
from .photos import FaceBoxes

TILES = 4
"""Pictures in a mosaic."""
_TILE = 0.6
"""Side of a mosaic's tile as a share of the picture's, so that faces are small."""
_LEAST_VISIBLE = 0.3
"""A face is not learnt if a smaller share of it is left in the picture."""
_SMALLEST_SHOWN_PX, _LARGEST_SHOWN = 8.0, 1.15
"""Range of a chosen face's longer side, the upper end as a share of the picture's: a face may fill
the picture and be cut off a little, like many profile pictures."""
_LARGEST_ZOOM = 4.0
_PADDING = 114
"""Grey value outside the photo; the detector pads with the same."""


class Framing(StrEnum):
    """Which part of a photo is shown."""

    ANY = "any"
    """Any part, large or small."""
    FACE = "face"
    """The surroundings of one face, whose size is drawn evenly from small to large."""
    MOSAIC = "mosaic"
    """Four photos combined, so that their faces are small."""


def build_photo_transform(side: int, framing: Framing) -> A.Compose:
    """Return a transform to a (side, side) picture."""
    return A.Compose(
        [
            *_list_framing_steps(side, framing),
            A.HorizontalFlip(p=0.5),
            A.Affine(
                scale=(0.6, 1.1),
                rotate=(-35, 35),
                translate_percent=(-0.15, 0.15),
                fill=_PADDING,
                rotate_method="ellipse",
                p=0.3,
            ),
            A.RandomBrightnessContrast(0.3, 0.3, p=0.4),
            A.HueSaturationValue(8, 40, 0, p=0.25),
            A.RandomGamma((60, 160), p=0.15),
            A.ToGray(p=0.12),
            A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.5, 2.0)),
                    A.ImageCompression(quality_range=(25, 80)),
                    A.GaussNoise(std_range=(0.02, 0.08)),
                ],
                p=0.2,
            ),
        ],
        bbox_params=A.BboxParams(
            format="pascal_voc",
            label_fields=["ignored"],
            clip=True,
            min_area=4,
            min_visibility=_LEAST_VISIBLE,
        ),
    )


def _list_framing_steps(side: int, framing: Framing) -> list[Any]:
    if framing is Framing.MOSAIC:
        tile = round(side * _TILE)
        return [A.Mosaic((2, 2), target_size=(side, side), cell_shape=(tile, tile), p=1.0)]
    if framing is Framing.ANY:
        return [A.RandomResizedCrop((side, side), scale=(0.06, 1.0), ratio=(0.75, 1.33), p=1.0)]
    return [
        A.RandomCropNearBBox(max_part_shift=0.1, cropping_bbox_key="window", p=1.0),
        A.LongestMaxSize(side),
        A.PadIfNeeded(side, side, position="random", fill=_PADDING),
    ]


def augment_photo(
    transform: A.Compose,
    photos: Sequence[tuple[UInt8Array, FaceBoxes]],
    seed: int,
    *,
    window: tuple[int, int, int, int] | None = None,
) -> tuple[UInt8Array, FaceBoxes]:
    """Return the first of ``photos`` after ``transform``, which only depends on ``seed``.

    The rest of ``photos`` are the other pictures of a mosaic; FACE shows ``window``
    (x1, y1, x2, y2).
    """
    plain = random.Random(seed)  # noqa: S311 - nothing here is secret
    transform.set_random_state(np.random.default_rng(seed), plain)
    first, *others = (_build_inputs(pixels, faces) for pixels, faces in photos)
    if window is not None:
        first["window"] = window
    if others:
        first["mosaic_metadata"] = others
    augmented = transform(**first)
    boxes = np.asarray(augmented["bboxes"], np.float32).reshape(-1, 4)
    ignored = np.asarray(augmented["ignored"], np.float32).reshape(-1) > 0.5
    return np.asarray(augmented["image"], dtype=np.uint8), FaceBoxes(boxes, ignored)


def _build_inputs(pixels: UInt8Array, faces: FaceBoxes) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    boxes = faces.boxes_xyxy.clip(0, np.array([width, height, width, height], np.float32))
    inside = ((boxes[:, 2] - boxes[:, 0]) > 1) & ((boxes[:, 3] - boxes[:, 1]) > 1)
    return {
        "image": pixels,
        "bboxes": boxes[inside],
        "ignored": faces.ignored[inside].astype(np.float32),
    }


def draw_window(
    size_wh: tuple[int, int], faces: FaceBoxes, side: int, draw: np.random.Generator
) -> tuple[int, int, int, int] | None:
    """Return a part of a photo in which one face has a random size between small and all of it.

    None if the photo has no face. Like the anchor sampling of PyramidBox (Tang et al. 2018), so
    that large faces, which are few, are learnt as well.
    """
    known = faces.boxes_xyxy[~faces.ignored]
    if not len(known):
        return None
    sizes = np.maximum(known[:, 2] - known[:, 0], known[:, 3] - known[:, 1])
    # Large ones more often, because a small one is blurred when enlarged.
    chosen = draw.choice(len(known), p=sizes / sizes.sum())
    (x1, y1, x2, y2), face = known[chosen], float(sizes[chosen])
    wanted = np.exp(draw.uniform(np.log(_SMALLEST_SHOWN_PX), np.log(_LARGEST_SHOWN * side)))
    length = max(face * side / min(float(wanted), face * _LARGEST_ZOOM), face / _LARGEST_SHOWN)
    # Anywhere with the face inside the window, or the window inside the face; cut to the photo.
    corner = [draw.uniform(*sorted((high - length, low))) for low, high in ((x1, x2), (y1, y2))]
    width, height = size_wh
    left, top = max(0, int(corner[0])), max(0, int(corner[1]))
    right, bottom = min(width, int(corner[0] + length)), min(height, int(corner[1] + length))
    return left, top, max(right, left + 2), max(bottom, top + 2)
