"""The shape of a face as a second training target: the outlines of eyes, brows and lips.

A label is one word about a face; the outlines, which the face mesh finds, say more. A network
that also predicts them learns that geometry without any labels by people.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.files import atomic_write, open_ordinary_file
from core.landmarks import LandmarkModel
from core.types import Float32Array, UInt8Array

from .anchors import find_landmarks
from .faces import FaceSet

PROCRUSTES_ROUNDS = 3
"""A fourth round moves the mean shape of FER-2013 by less than a thousandth of its size."""


def list_outline_points() -> tuple[int, ...]:
    """Return the face mesh's points on the outlines of lips, eyes and brows: 92 of 468."""
    from mediapipe.python.solutions import face_mesh_connections as connections

    outlines = connections.FACEMESH_CONTOURS - connections.FACEMESH_FACE_OVAL
    return tuple(sorted({point for line in outlines for point in line}))


SHAPE_VALUES = 2 * 92
"""Values of a shape: x and y of each outline point."""


def read_shapes(file: Path, faces: FaceSet, *, mesh: Callable[[], LandmarkModel]) -> Float32Array:
    """Return (N, 2, 184) shapes of ``faces`` and their mirror images, NaN where no face is found.

    ``file`` caches the landmarks (npz, by file name); ``mesh`` finds those that it lacks. See
    :func:`compute_shapes`. DataError for another kind of file, and when no face is found at all.
    """
    known = _read_cache(file)
    missing = [index for index, name in enumerate(faces.names) if name not in known]
    if missing:
        outlines = _locate_outlines(faces.images[missing], mesh())
        known |= {faces.names[index]: rows for index, rows in zip(missing, outlines, strict=True)}
        atomic_write(file, _pack_cache(known))
    points = np.stack([known[name] for name in faces.names])
    if np.isnan(points).all():
        raise DataError(
            f"The face mesh finds no face in {len(faces)} pictures.",
            hint="Leave --landmarks out, or give pictures that each show one face.",
        )
    return compute_shapes(points)


def compute_shapes(points: Float32Array) -> Float32Array:
    """Turn (N, 2, P, 2) points, NaN where unknown, into (N, 2, 2 P) standardised shapes.

    A shape is what remains of the outlines after rotation, position and size are removed: the
    difference to the mean shape, in standard deviations. Generalised Procrustes analysis (Gower
    1975) fits all outlines to their mean by least squares; with complex numbers, each similarity
    transform is one factor.
    """
    rows = points.reshape(-1, *points.shape[2:]).astype(np.float64)
    known = ~np.isnan(rows).any(axis=(1, 2))
    outlines: NDArray[np.complex128] = rows[known, :, 0] + 1j * rows[known, :, 1]
    outlines -= outlines.mean(axis=1, keepdims=True)
    mean = outlines.mean(axis=0)
    for _ in range(PROCRUSTES_ROUNDS):
        mean /= np.linalg.norm(mean)
        factors = (outlines.conj() @ mean) / np.maximum((abs(outlines) ** 2).sum(axis=1), 1e-12)
        aligned = outlines * factors[:, None]
        mean = aligned.mean(axis=0)
    differences = aligned - mean
    flat = np.concatenate([differences.real, differences.imag], axis=1)
    shapes = np.full((len(rows), flat.shape[1]), np.nan, np.float32)
    shapes[known] = flat / max(float(flat.std()), 1e-12)
    return shapes.reshape(*points.shape[:2], -1)


def _locate_outlines(images: UInt8Array, mesh: LandmarkModel) -> Float32Array:
    """Return (N, 2, P, 2) outline points of ``images`` and of their mirror images."""
    outline = list(list_outline_points())
    rows = np.full((len(images), 2, len(outline), 2), np.nan, np.float32)
    for side, pictures in enumerate((images, images[..., ::-1])):
        for index, landmarks in enumerate(find_landmarks(np.ascontiguousarray(pictures), mesh)):
            if landmarks is not None:
                rows[index, side] = landmarks.points[outline]
    return rows


def _read_cache(file: Path) -> dict[str, Float32Array]:
    try:
        with open_ordinary_file(file) as opened, np.load(opened, allow_pickle=False) as cache:
            names, points = cache["names"], cache["points"].astype(np.float32)
        if points.shape != (len(names), 2, SHAPE_VALUES // 2, 2):
            raise ValueError(f"points of shape {points.shape}")
    except FileNotFoundError:
        return {}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"'{file.name}' is not a file of landmarks ({error}).",
            hint="Give a new file name with --landmarks; the file will be created.",
        ) from error
    return dict(zip(map(str, names), points, strict=True))


def _pack_cache(known: dict[str, Float32Array]) -> bytes:
    buffer = BytesIO()
    # Half precision is exact to 0.03 px of 48.
    points = np.stack(list(known.values())).astype(np.float16)
    np.savez_compressed(buffer, names=np.array(list(known)), points=points)
    return buffer.getvalue()
