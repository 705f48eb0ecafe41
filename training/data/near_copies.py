"""Faces that a network has met in training, or nearly so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.types import Float32Array, UInt8Array

NEAR = 0.99
"""Correlation of the pixels from which two faces count as copies of one another."""
_CHUNK = 512
"""Faces compared at once with all others: 512 x 28,709 correlations take 59 MB."""


def mark_near_copies(
    images: UInt8Array, others: UInt8Array, threshold: float = NEAR
) -> NDArray[np.bool_]:
    """(N,) whether each of ``images`` (N, 48, 48) has a near copy among ``others`` (M, 48, 48).

    Every pair is compared, which for one split of FER-2013 takes seconds; a perceptual hash
    would only miss some. Brightness and contrast do not count. A face of one single grey
    value is nobody's copy.
    """
    found = np.zeros(len(images), dtype=np.bool_)
    if not len(others):
        return found
    against = _standardised(others)
    for start in range(0, len(images), _CHUNK):
        part = _standardised(images[start : start + _CHUNK])
        found[start : start + _CHUNK] = (part @ against.T).max(axis=1) > threshold
    return found


def find_near_pairs(
    images: UInt8Array, threshold: float = NEAR
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The indices i < j of all pairs of (N, 48, 48) ``images`` that are near copies."""
    rows = _standardised(images)
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(rows), _CHUNK):
        # Only what comes later: each pair is looked at once.
        high = rows[start : start + _CHUNK] @ rows[start:].T > threshold
        above, other = np.nonzero(np.triu(high, k=1))
        first.append(above + start)
        second.append(other + start)
    return np.concatenate(first), np.concatenate(second)


def _standardised(images: UInt8Array) -> Float32Array:
    """(N, P) rows of mean zero and length one, so that a dot product is a correlation."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-6), dtype=np.float32)
