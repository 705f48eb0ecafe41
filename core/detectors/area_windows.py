"""Cropping and area-averaging many windows of an image at once, from an integral image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Float32Array, UInt8Array

Sums = NDArray[np.int32]
"""(H + 1, W + 1, 4): for each channel the sum of all pixels above and left of each corner.

32 bits overflow beyond 8.4 megapixels of white, but differences stay right as long as no cell
covers that much. The fourth channel gives a corner the size of a complex number, which numpy
gathers twice as fast as three integers.
"""


def integral_image(pixels: UInt8Array) -> Sums:
    """Return the integral image of (H, W, 3) pixels."""
    four = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    return np.asarray(cv2.integral(four, sdepth=cv2.CV_32S), dtype=np.int32)


def resize_image(sums: Sums, size_hw: tuple[int, int]) -> Float32Array:
    """Return the whole image as (3, *size_hw) cells, each the mean of the pixels it touches.

    Equal to adaptive average pooling in torch, and to ``interpolate(mode="area")``.
    """
    top, bottom = _cell_edges(np.array([0]), np.array([sums.shape[0] - 1]), size_hw[0])
    left, right = _cell_edges(np.array([0]), np.array([sums.shape[1] - 1]), size_hw[1])
    rows = _as_complex(sums[bottom[0]] - sums[top[0]])
    cells = _as_integers(rows.take(right[0], axis=1)) - _as_integers(rows.take(left[0], axis=1))
    means = _mean_cells(cells[None], (bottom - top)[:, :, None] * (right - left)[:, None, :])
    return means.reshape(3, *size_hw)


def crop_windows(sums: Sums, windows: NDArray[np.int64], side: int) -> Float32Array:
    """Return (N, 3, side, side) cells of N windows (y1, y2, x1, x2), half-open, in the image.

    Each cell is the mean of the pixels it touches, as in :func:`resize_image`; a window smaller
    than ``side`` repeats pixels. 256 windows with 48 cells a side take about 40 MB.
    """
    y1, y2, x1, x2 = windows.T
    top, bottom = _cell_edges(y1, y2, side)
    left, right = _cell_edges(x1, x2, side)
    flat = _as_complex(sums).ravel()
    low, high = (rows[:, :, None] * sums.shape[1] for rows in (top, bottom))
    first, last = left[:, None, :], right[:, None, :]
    cells = _as_integers(flat.take(high + last))
    cells -= _as_integers(flat.take(high + first))
    cells -= _as_integers(flat.take(low + last))
    cells += _as_integers(flat.take(low + first))
    return _mean_cells(cells, (bottom - top)[:, :, None] * (right - left)[:, None, :])


def _cell_edges(
    start: NDArray[np.int64], stop: NDArray[np.int64], cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each of ``cells`` begins and ends from ``start`` to ``stop``, (N, cells) each.

    Cell i goes from floor(i L / n) to ceil((i + 1) L / n), so neighbours may share a pixel.
    """
    length = (stop - start)[:, None]
    steps = np.arange(cells + 1)
    low = start[:, None] + steps[:-1] * length // cells
    high = start[:, None] - (-steps[1:] * length // cells)
    return low, high


def _as_complex(sums: Sums) -> NDArray[np.complex128]:
    """View (H, W, 4) integers as (H, W) complex numbers, which numpy gathers faster."""
    return sums.view(np.complex128)[..., 0]


def _as_integers(corners: NDArray[np.complex128]) -> Sums:
    """View gathered complex numbers as integers, four along a new last axis."""
    return corners.view(np.int32).reshape(*corners.shape, 4)


def _mean_cells(cells: Sums, areas: NDArray[np.int64]) -> Float32Array:
    """Divide (N, h, w, 4) sums by (N, h, w) areas into (N, 3, h, w) means."""
    shares = (1 / areas).astype(np.float32)
    means: NDArray[Any] = np.empty((len(cells), 3, *areas.shape[1:]), np.float32)
    for channel in range(3):
        np.multiply(
            cells[..., channel], shares, out=means[:, channel], dtype=np.float32, casting="unsafe"
        )
    return means
