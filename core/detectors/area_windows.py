"""Windows of a picture, many at once, each averaged down or spread to a square of cells."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..types import Float32Array, UInt8Array

_AT_ONCE = 256
"""Windows gathered in one piece, which bounds memory: 48 cells a side take some 40 MB."""

Sums = NDArray[np.int32]
"""(H + 1, W + 1, 4): per channel the sum of all pixels above and left of each corner.

32 bits wrap around beyond 8.4 megapixels of white, and differences come out right all the same
as long as no single cell covers that much. The fourth channel is there so that a corner has the
size of a complex number, which numpy gathers in one go, twice as fast as three numbers.
"""


def sums_of(pixels: UInt8Array) -> Sums:
    """The summed areas of (H, W, 3) pixels."""
    four = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    return np.asarray(cv2.integral(four, sdepth=cv2.CV_32S), dtype=np.int32)


def reduced(sums: Sums, size_hw: tuple[int, int]) -> Float32Array:
    """The whole picture as (3, *size_hw) cells, each the mean of the pixels it touches.

    What torch calls adaptive average pooling, and ``interpolate(mode="area")``.
    """
    top, bottom = _edges(np.array([0]), np.array([sums.shape[0] - 1]), size_hw[0])
    left, right = _edges(np.array([0]), np.array([sums.shape[1] - 1]), size_hw[1])
    rows = _corners(sums[bottom[0]] - sums[top[0]])
    cells = _numbers(rows.take(right[0], axis=1)) - _numbers(rows.take(left[0], axis=1))
    means = _means(cells[None], (bottom - top)[:, :, None] * (right - left)[:, None, :])
    return means.reshape(3, *size_hw)


def squares(sums: Sums, windows: NDArray[np.int64], side: int) -> Float32Array:
    """(N, 3, side, side) cells of N windows (y1, y2, x1, x2), half-open and inside the picture.

    Each cell is the mean of the pixels it touches, as in :func:`reduced`; a window smaller than
    its square repeats pixels.
    """
    parts = [
        _squares(sums, windows[start : start + _AT_ONCE], side)
        for start in range(0, len(windows), _AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 3, side, side), np.float32)


def _squares(sums: Sums, windows: NDArray[np.int64], side: int) -> Float32Array:
    y1, y2, x1, x2 = windows.T
    top, bottom = _edges(y1, y2, side)
    left, right = _edges(x1, x2, side)
    flat = _corners(sums).ravel()
    low, high = (rows[:, :, None] * sums.shape[1] for rows in (top, bottom))
    first, last = left[:, None, :], right[:, None, :]
    cells = _numbers(flat.take(high + last))
    cells -= _numbers(flat.take(high + first))
    cells -= _numbers(flat.take(low + last))
    cells += _numbers(flat.take(low + first))
    return _means(cells, (bottom - top)[:, :, None] * (right - left)[:, None, :])


def _edges(
    start: NDArray[np.int64], stop: NDArray[np.int64], cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each of ``cells`` begins and ends between ``start`` and ``stop``, (N, cells) each.

    Cell i goes from floor(i L / n) to ceil((i + 1) L / n), so neighbours may share a pixel.
    """
    length = (stop - start)[:, None]
    steps = np.arange(cells + 1)
    low = start[:, None] + steps[:-1] * length // cells
    high = start[:, None] - (-steps[1:] * length // cells)
    return low, high


def _corners(sums: Sums) -> NDArray[np.complex128]:
    """(H, W, 4) numbers as (H, W) things to gather."""
    return sums.view(np.complex128)[..., 0]


def _numbers(corners: NDArray[np.complex128]) -> Sums:
    """What was gathered as the numbers it holds, four along a new last axis."""
    return corners.view(np.int32).reshape(*corners.shape, 4)


def _means(cells: Sums, areas: NDArray[np.int64]) -> Float32Array:
    """(N, h, w, 4) sums over (N, h, w) areas as (N, 3, h, w)."""
    shares = (1 / areas).astype(np.float32)
    means: NDArray[Any] = np.empty((len(cells), 3, *areas.shape[1:]), np.float32)
    for channel in range(3):
        np.multiply(
            cells[..., channel], shares, out=means[:, channel], dtype=np.float32, casting="unsafe"
        )
    return means
