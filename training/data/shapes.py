"""The shape of a face as a further thing to learn: where the face mesh places eyes and mouth.

Labels say one word about a face; the outlines of its eyes, brows and lips say how it shows it.
A network that must also tell those outlines gets that geometry for free.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.files import atomic_write
from core.landmarks import LandmarkModel
from core.types import Float32Array, UInt8Array

from .anchors import find_landmarks
from .faces import FaceSet

PROCRUSTES_ROUNDS = 3
"""The mean shape of FER-2013 moves by less than a thousandth of its size in a fourth."""


def list_outline_points() -> tuple[int, ...]:
    """Indices of the face mesh on the outlines of lips, eyes and brows: 92 of 468."""
    from mediapipe.python.solutions import face_mesh_connections as connections

    outlines = (
        connections.FACEMESH_LIPS
        | connections.FACEMESH_LEFT_EYE
        | connections.FACEMESH_RIGHT_EYE
        | connections.FACEMESH_LEFT_EYEBROW
        | connections.FACEMESH_RIGHT_EYEBROW
    )
    return tuple(sorted({point for line in outlines for point in line}))


SHAPE_VALUES = 2 * 92
"""Values that describe a shape: x and y of each outline point."""


def read_shapes(
    file: Path,
    faces: FaceSet,
    *,
    mesh: Callable[[], LandmarkModel],
    progress: Callable[[str], None] = lambda _text: None,
) -> Float32Array:
    """(N, 2, 184) shapes of ``faces`` and of their mirror images, NaN where no face is found.

    ``file`` keeps the landmarks (npz, by file name); those it lacks are found with ``mesh`` and
    added to it. Each shape is the face's outlines turned, moved and scaled onto the mean shape,
    less that mean, in standard deviations: what rotation and size of the picture leave over.
    DataError for another kind of file, or when no face is found at all.
    """
    known = _kept(file)
    missing = [index for index, name in enumerate(faces.names) if name not in known]
    if missing:
        progress(f"Finding the landmarks of {len(missing):,} faces …")
        found = _found(faces.images[missing], mesh())
        known |= {faces.names[index]: rows for index, rows in zip(missing, found, strict=True)}
        atomic_write(file, _packed(known))
    points = np.stack([known[name] for name in faces.names])
    if np.isnan(points).all():
        raise DataError(
            f"The face mesh finds no face in {len(faces)} pictures.",
            hint="Leave out --landmarks, or give pictures that each show one face.",
        )
    return compute_shapes(points)


def compute_shapes(points: Float32Array) -> Float32Array:
    """(N, 2, P, 2) points, NaN where unknown, to (N, 2, 2 P) standardised shapes.

    Generalised Procrustes analysis (Gower 1975): all outlines are brought onto their mean by
    the similarity of least squares, which in complex numbers is one factor for each.
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
    left_over = aligned - mean
    flat = np.concatenate([left_over.real, left_over.imag], axis=1)
    shapes = np.full((len(rows), flat.shape[1]), np.nan, np.float32)
    shapes[known] = flat / max(float(flat.std()), 1e-12)
    return shapes.reshape(*points.shape[:2], -1)


def _found(images: UInt8Array, mesh: LandmarkModel) -> Float32Array:
    """(N, 2, P, 2) outline points of ``images`` and of their mirror images."""
    chosen = list(list_outline_points())
    rows = np.full((len(images), 2, len(chosen), 2), np.nan, np.float32)
    for side, pictures in enumerate((images, images[..., ::-1])):
        for index, landmarks in enumerate(find_landmarks(np.ascontiguousarray(pictures), mesh)):
            if landmarks is not None:
                rows[index, side] = landmarks.points[chosen]
    return rows


def _kept(file: Path) -> dict[str, Float32Array]:
    if not file.exists():
        return {}
    try:
        with np.load(file, allow_pickle=False) as kept:
            names, points = kept["names"], kept["points"].astype(np.float32)
        if points.shape != (len(names), 2, SHAPE_VALUES // 2, 2):
            raise ValueError(f"points of shape {points.shape}")
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"'{file.name}' holds no landmarks ({error}).",
            hint="Give a new file name with --landmarks: it is made for you.",
        ) from error
    return dict(zip(map(str, names), points, strict=True))


def _packed(known: dict[str, Float32Array]) -> bytes:
    buffer = BytesIO()
    # Half precision is exact to .03 px of 48.
    points = np.stack(list(known.values())).astype(np.float16)
    np.savez_compressed(buffer, names=np.array(list(known)), points=points)
    return buffer.getvalue()
