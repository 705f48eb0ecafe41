"""Ways to divide faces into groups that a model might get wrong more often than others.

These are not groups of people: FER-2013 has no age, gender or skin tone, and the brightness of a
picture is not the tone of a skin. :func:`read_groups` reads labels that a user has.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from core.errors import DataError
from core.faces.quality import head_pose
from core.files import read_text
from core.types import Float32Array, Landmarks, UInt8Array

from .votes import Votes

FIFTHS = 5
CLUSTERS = 10
_COMPONENTS = 32
"""Principal components that are clustered; distances in thousands of dimensions say little."""


@dataclass(frozen=True, slots=True, eq=False)
class Slicing:
    """One way to divide N faces; a face belongs to one group or to none."""

    name: str
    description: str
    """What the groups are based on, for people to read."""
    groups: tuple[str, ...]
    member: NDArray[np.int64]
    """(N,) index into ``groups``; -1 for a face in no group."""


def measure_brightness(face: UInt8Array) -> float:
    """Return the mean grey value, 0..1: the light of the picture, not the tone of the skin."""
    return float(face.mean() / 255)


def measure_contrast(face: UInt8Array) -> float:
    """Return the standard deviation of the grey value, 0..1."""
    return float(face.std() / 255)


def measure_sharpness(face: UInt8Array) -> float:
    """Return the variance of the Laplacian over that of the grey values, whatever the contrast."""
    grey: Float32Array = face.astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def measure_light_asymmetry(face: UInt8Array) -> float:
    """Return the difference of both halves' mean grey values as a share of their sum, 0..1."""
    middle = face.shape[1] // 2
    left, right = float(face[:, :middle].mean()), float(face[:, -middle:].mean())
    return abs(left - right) / max(left + right, 1.0)


_MEASURES = {
    "brightness": (
        measure_brightness,
        "mean grey value, 0 to 1; the picture's light, not a person's skin",
    ),
    "contrast": (measure_contrast, "standard deviation of the grey value, 0 to 1"),
    "sharpness": (measure_sharpness, "variance of the Laplacian over that of the grey values"),
    "light_asymmetry": (
        measure_light_asymmetry,
        "difference of the halves' mean grey values, share of their sum",
    ),
}
"""By name the function and the description of its value."""


def slice_by_appearance(faces: UInt8Array) -> list[Slicing]:
    """Return fifths by brightness, contrast, sharpness and asymmetry of the light."""
    return [
        slice_into_fifths(name, description, np.array([measure(face) for face in faces]))
        for name, (measure, description) in _MEASURES.items()
    ]


def slice_into_fifths(name: str, description: str, values: NDArray[np.float64]) -> Slicing:
    """Return five groups of equal size by rising value; fewer where many values are the same.

    A face whose value is NaN is in no group.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Slicing(name, description, (), np.full(len(values), -1, np.int64))
    inner = np.quantile(known, np.arange(1, FIFTHS) / FIFTHS)
    # With an edge at the smallest value, the group below it would be empty.
    edges = np.unique(inner[inner > known.min()])
    group = np.searchsorted(edges, values, side="right")
    bounds = [float(known.min()), *map(float, edges), float(known.max())]
    count = len(bounds) - 1
    groups = tuple(
        f"{index + 1} of {count} ({low:.2f} to {high:.2f})"
        for index, (low, high) in enumerate(itertools.pairwise(bounds))
    )
    return Slicing(name, description, groups, np.where(np.isfinite(values), group, -1))


def slice_by_mesh(landmarks: Sequence[Landmarks | None]) -> list[Slicing]:
    """Return groups by the head's pose in the face mesh, and by whether the mesh found a face."""
    found = np.array([marks is not None for marks in landmarks])
    poses = np.array(
        [[np.nan if angle is None else angle for angle in head_pose(marks)] for marks in landmarks],
        dtype=np.float64,
    ).reshape(-1, 3)
    yaw, pitch, roll = poses.T
    degrees = "degrees, by the face mesh"
    return [
        _slice_by_edges("yaw", f"turn to either side, {degrees}", np.abs(yaw), (10.0, 20.0, 35.0)),
        # The zero of the mesh's pitch depends on the shape of the face, so only the order counts.
        slice_into_fifths("pitch", f"look up (high) or down (low), {degrees}", pitch),
        _slice_by_edges("roll", f"tilt to either side, {degrees}", np.abs(roll), (5.0, 15.0)),
        Slicing(
            "mesh",
            "whether the face mesh finds a face in the picture",
            ("found", "not found"),
            np.where(found, 0, 1),
        ),
    ]


def _slice_by_edges(
    name: str, description: str, values: NDArray[np.float64], edges: tuple[float, ...]
) -> Slicing:
    """Return groups between ``edges``; a face whose value is NaN is in no group."""
    inner = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    groups = (f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and more")
    group = np.searchsorted(np.array(edges), values, side="right")
    return Slicing(name, description, groups, np.where(np.isfinite(values), group, -1))


def slice_by_votes(votes: Votes) -> Slicing:
    """Return fifths by how much the crowd disagreed; faces without votes are in no group."""
    shares = votes.distribution().astype(np.float64)
    logs = np.log2(np.where(shares > 0, shares, 1.0))
    # Subtracted from zero, so that a sum of zero is not written as -0.00.
    entropy = 0.0 - (shares * logs).sum(axis=1)
    description = "entropy in bits of the crowd's votes: 0 where all agreed"
    return slice_into_fifths("vote_entropy", description, np.where(votes.known, entropy, np.nan))


def slice_by_cluster(features: Float32Array, *, of: str, seed: int = 0) -> Slicing:
    """Return groups of faces with similar (N, F) features of a network, by k-means."""
    components = min(_COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=seed).fit_transform(features.astype(np.float64))
    clusters = min(CLUSTERS, len(features))
    member = KMeans(clusters, n_init=4, random_state=seed).fit_predict(reduced)
    return Slicing(
        "cluster",
        f"faces alike in the features of {of}: k-means, {clusters} clusters",
        tuple(f"cluster {index + 1}" for index in range(clusters)),
        np.asarray(member, dtype=np.int64),
    )


def read_groups(path: Path, names: Sequence[str]) -> list[Slicing]:
    """Return one slicing for each column of a CSV after the first, which names the images.

    The columns are a user's own labels, such as age or skin tone. An empty cell, or a face that
    is not in the file, belongs to no group. DataError when none of ``names`` is in the file.
    """
    try:
        reader = csv.reader(StringIO(read_text(path), newline=""))
        header = next(reader, [])
        rows = {row[0]: row for row in reader if row}
    except (OSError, csv.Error, ValueError) as error:
        raise DataError(
            f"'{path.name}' is not a readable CSV file.", hint="Check the path of --groups."
        ) from error
    hint = "Needed: a first column with the images' file names, then one column per grouping."
    if len(header) < 2:
        raise DataError(f"'{path.name}' has no columns of groups.", hint=hint)
    if not any(name in rows for name in names):
        raise DataError(f"None of the {len(names)} images is in '{path.name}'.", hint=hint)
    description = f"column of {path.name}"
    slicings = []
    for column, title in enumerate(header[1:], start=1):
        cells = [
            rows[name][column].strip() if name in rows and column < len(rows[name]) else ""
            for name in names
        ]
        groups = tuple(sorted({cell for cell in cells if cell}))
        member = np.array([groups.index(cell) if cell else -1 for cell in cells], np.int64)
        slicings.append(Slicing(title.strip(), description, groups, member))
    return slicings
