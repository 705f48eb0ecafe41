"""Making the faces of an image unrecognisable."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ..types import Box, ImageAnalysis, RgbImage, UInt8Array

BLOCKS = 4
"""Blocks across the covered area, so fewer than three across the face. Finer mosaics and soft blurs
can be matched to known people (Newton et al. 2005; McPherson et al. 2016)."""
MARGIN = 0.25
"""Added to each side of the box, as a share of it: boxes cut off hair, ears and chin."""


def blur_faces(image: RgbImage, analysis: ImageAnalysis) -> RgbImage:
    """Return ``image``, turned as for ``analysis``, with ovals of blocks over the faces found.

    An oval is :data:`BLOCKS` blocks wide.
    Only the average of each block remains, so nothing can be restored. A face that the detector
    missed stays visible.
    """
    image = image.turn_to(analysis.turned)
    pixels: UInt8Array = image.pixels.copy()
    for face in analysis.faces:
        _blur_oval(pixels, face.face.box)
    return replace(image, pixels=pixels)


def _blur_oval(pixels: UInt8Array, box: Box) -> None:
    height, width = pixels.shape[:2]
    dx, dy = MARGIN * box.width, MARGIN * box.height
    wide = Box(box.x1 - dx, box.y1 - dy, box.x2 + dx, box.y2 + dy).clip(width, height)
    x1, y1 = int(np.floor(wide.x1)), int(np.floor(wide.y1))
    x2, y2 = int(np.ceil(wide.x2)), int(np.ceil(wide.y2))
    if x2 <= x1 or y2 <= y1:
        return
    region = pixels[y1:y2, x1:x2]
    blocks_wh = min(BLOCKS, x2 - x1), min(BLOCKS, y2 - y1)
    averages = cv2.resize(region, blocks_wh, interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(averages, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
    # The oval of the whole face, even if the edge of the image cuts it.
    across = (np.arange(x1, x2) + 0.5 - (box.x1 + box.x2) / 2) / (box.width / 2 + dx)
    down = (np.arange(y1, y2) + 0.5 - (box.y1 + box.y2) / 2) / (box.height / 2 + dy)
    # Slightly over 1, to cover the corners of the box itself.
    oval = across[None, :] ** 2 + down[:, None] ** 2 <= 1.05
    region[oval] = mosaic[oval]
