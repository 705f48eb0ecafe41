"""Augmentation of uint8 grey faces with albumentations."""

from __future__ import annotations

import os
import random
from collections.abc import Set as AbstractSet

import cv2
import numpy as np

from core.types import UInt8Array

# Without this, importing albumentations looks for updates over the network.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A  # noqa: N812 - its documented alias, after the setting above

LIGHT, SHARPNESS, POSE = "light", "sharpness", "pose"
"""Kinds of augmentation that can be made stronger."""


def make_transform(stronger: AbstractSet[str] = frozenset(), extra: float = 0.0) -> A.Compose:
    """Return the augmentation of a training face at the network's input size.

    The geometric ranges cover the spread of eyes and mouth in FER-2013 (roll -20 to +14
    degrees, eye distance 11 to 22 px around 17); the rest imitates the faults of photos. Ranges
    of the kinds in ``stronger`` (LIGHT, SHARPNESS, POSE) are wider by ``extra``, a share of them.
    """
    light, sharpness, pose = (
        1 + extra if kind in stronger else 1.0 for kind in (LIGHT, SHARPNESS, POSE)
    )
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(
                scale=(1 - 0.15 * pose, 1 + 0.15 * pose),
                translate_percent=(-0.08, 0.08),
                rotate=(-15 * pose, 15 * pose),
                border_mode=cv2.BORDER_REPLICATE,
                p=0.9,
            ),
            A.RandomBrightnessContrast(0.25 * light, 0.25 * light, p=0.5),
            A.RandomGamma((round(100 * 0.7**light), round(100 * 1.4**light)), p=0.3),
            A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.5, 2.0 * sharpness)),
                    A.GaussNoise(std_range=(0.02, 0.08 * sharpness)),
                    A.ImageCompression(quality_range=(30, 90)),
                ],
                # Applied to one picture in seven: more often where sharpness is made stronger.
                p=0.15 * sharpness,
            ),
            A.CoarseDropout(
                num_holes_range=(1, 2),
                hole_height_range=(0.1, 0.3),
                hole_width_range=(0.1, 0.3),
                fill="random_uniform",
                p=0.35,
            ),
        ],
        # Needed to know whether the face was mirrored; tracking keypoints takes a fourth longer.
        save_applied_params=True,
    )


def augment_face(transform: A.Compose, face: UInt8Array, seed: int) -> tuple[UInt8Array, bool]:
    """Return the augmented (S, S) uint8 face, and whether it was mirrored.

    ``seed`` alone decides the result. All transforms share one pair of generators:
    ``set_random_seed`` would give each its own generator with the same seed, so that all of them
    would be applied together or not at all.
    """
    generator = random.Random(seed)  # noqa: S311 - not used for security
    transform.set_random_state(np.random.default_rng(seed), generator)
    result = transform(image=face)
    mirrored = any(name == "HorizontalFlip" for name, _ in result["applied_transforms"])
    return np.asarray(result["image"], dtype=np.uint8), mirrored
