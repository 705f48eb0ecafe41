"""Augmentation, all of it by albumentations on uint8 grey faces."""

from __future__ import annotations

import os
import random
from collections.abc import Set as AbstractSet

import cv2
import numpy as np

from core.types import UInt8Array

# Importing albumentations looks for updates over the network unless this is set.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A  # noqa: N812 - its documented alias, after the switch above

LIGHT, SHARPNESS, POSE = "light", "sharpness", "pose"
"""What can be augmented more than usual."""


def make_transform(more: AbstractSet[str] = frozenset(), by: float = 0.0) -> A.Compose:
    """What a training face goes through, at the network's input size.

    The geometric ranges cover the spread of eyes and mouth in FER-2013 (roll -20 to +14
    degrees, eye distance 11 to 22 px around 17); the rest is what photos suffer. The ranges of
    what is in ``more`` are wider by the share ``by`` of themselves.
    """
    light, sharpness, pose = (1 + by if kind in more else 1.0 for kind in (LIGHT, SHARPNESS, POSE))
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
                # Once in seven pictures: here the range is in how often, too.
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
        # Tells whether the face was mirrored; points that move along with it take a fourth longer.
        save_applied_params=True,
    )


def augment_face(transform: A.Compose, face: UInt8Array, seed: int) -> tuple[UInt8Array, bool]:
    """``face`` (S, S) uint8 after ``transform``, decided by ``seed`` alone; whether mirrored.

    One pair of generators serves the whole pipeline: ``set_random_seed`` would give each
    transform an own generator with the same seed, and all of them would fire together.
    """
    plain = random.Random(seed)  # noqa: S311 - nothing here is secret
    transform.set_random_state(np.random.default_rng(seed), plain)
    told = transform(image=face)
    mirrored = any(name == "HorizontalFlip" for name, _ in told["applied_transforms"])
    return np.asarray(told["image"], dtype=np.uint8), mirrored
