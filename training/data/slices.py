"""Ways to part faces into groups that might be answered worse than others.

None of them is a group of people: FER-2013 says nothing of age, gender or skin, and the
brightness of a picture is not the tone of a skin. :func:`read_groups` takes a user's own labels.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from core.errors import DataError
from core.faces.quality import head_pose
from core.types import Float32Array, Landmarks, UInt8Array

from .appearance import MEASURES, measure_appearance
from .votes import Votes

FIFTHS = 5
CLUSTERS = 10
_COMPONENTS = 32
"""Of the features that are clustered; distances in thousands of dimensions say little."""


@dataclass(frozen=True, slots=True, eq=False)
class Slicing:
    """One way to part N faces; a face belongs to one group or to none."""

    name: str
    description: str
    """What the groups are made by, in plain words."""
    groups: tuple[str, ...]
    member: NDArray[np.int64]
    """(N,) index into ``groups``; -1 for a face that belongs to none."""


def slice_by_appearance(faces: UInt8Array) -> list[Slicing]:
    """Fifths by brightness, contrast, sharpness and asymmetry of the light."""
    told = {
        "brightness": "mean grey value, 0 to 1; the picture's light, not a person's skin",
        "contrast": "standard deviation of the grey value, 0 to 1",
        "sharpness": "variance of the Laplacian over that of the grey values",
        "light_asymmetry": "difference of the halves' mean grey values, share of their sum",
    }
    return [
        slice_into_fifths(name, told[name], measure_appearance(faces, name)) for name in MEASURES
    ]


def slice_into_fifths(name: str, told: str, values: NDArray[np.float64]) -> Slicing:
    """Five parts of equal size by rising value; fewer where many values are the same.

    Faces whose value is NaN belong to none.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Slicing(name, told, (), np.full(len(values), -1, np.int64))
    inner = np.quantile(known, np.arange(1, FIFTHS) / FIFTHS)
    # An edge at the smallest value would leave nothing below it.
    edges = np.unique(inner[inner > known.min()])
    place = np.searchsorted(edges, values, side="right")
    bounds = [float(known.min()), *map(float, edges), float(known.max())]
    parts = len(bounds) - 1
    groups = tuple(
        f"{index + 1} of {parts} ({low:.2f} to {high:.2f})"
        for index, (low, high) in enumerate(itertools.pairwise(bounds))
    )
    return Slicing(name, told, groups, np.where(np.isfinite(values), place, -1).astype(np.int64))


def slice_by_mesh(landmarks: Sequence[Landmarks | None]) -> list[Slicing]:
    """By the head's pose as the face mesh tells it, and by whether it found a face at all."""
    found = np.array([each is not None for each in landmarks])
    poses = np.array(
        [[np.nan if each is None else each for each in head_pose(marks)] for marks in landmarks],
        dtype=np.float64,
    ).reshape(-1, 3)
    yaw, pitch, roll = poses.T
    degrees = "degrees, by the face mesh"
    return [
        _banded("yaw", f"turn to either side, {degrees}", np.abs(yaw), (10.0, 20.0, 35.0)),
        # Where the mesh has its zero depends on the shape of a face: only the order is told.
        slice_into_fifths("pitch", f"look up (high) or down (low), {degrees}", pitch),
        _banded("roll", f"tilt to either side, {degrees}", np.abs(roll), (5.0, 15.0)),
        Slicing(
            "mesh",
            "whether the face mesh finds a face in the picture",
            ("found", "not found"),
            np.where(found, 0, 1).astype(np.int64),
        ),
    ]


def _banded(name: str, told: str, values: NDArray[np.float64], edges: tuple[float, ...]) -> Slicing:
    """Groups between stated ``edges``; none for NaN."""
    inner = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    groups = (f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and more")
    place = np.searchsorted(np.array(edges), values, side="right")
    return Slicing(name, told, groups, np.where(np.isfinite(values), place, -1).astype(np.int64))


def slice_by_votes(votes: Votes) -> Slicing:
    """Fifths by how much the crowd disagreed; faces without votes belong to none."""
    shares = votes.distribution().astype(np.float64)
    logs = np.log2(np.where(shares > 0, shares, 1.0))
    # Taken from zero: where all agree it is never written as -0.00.
    entropy = 0.0 - (shares * logs).sum(axis=1)
    told = "entropy in bits of the crowd's votes: 0 where all agreed"
    return slice_into_fifths("vote_entropy", told, np.where(votes.known, entropy, np.nan))


def slice_by_cluster(features: Float32Array, *, of: str, seed: int = 0) -> Slicing:
    """Groups of faces that look alike to a network: k-means of its (N, F) features."""
    parts = min(_COMPONENTS, *features.shape)
    reduced = PCA(parts, random_state=seed).fit_transform(features.astype(np.float64))
    clusters = min(CLUSTERS, len(features))
    found = KMeans(clusters, n_init=4, random_state=seed).fit_predict(reduced)
    return Slicing(
        "cluster",
        f"faces alike in the features of {of}: k-means, {clusters} clusters",
        tuple(f"cluster {index + 1}" for index in range(clusters)),
        np.asarray(found, dtype=np.int64),
    )


def read_groups(path: Path, names: Sequence[str]) -> list[Slicing]:
    """One slicing for each column of a CSV beside its first, which names the images.

    For labels of one's own, such as age or skin tone. Faces that the file does not name, and
    empty cells, belong to no group. DataError when it names none of ``names``.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            rows = {row[0]: row for row in reader if row}
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"'{path.name}' is no CSV file that can be read.", hint="Check the path of --groups."
        ) from error
    hint = "Needed: a first column with file names of the images, then one column per grouping."
    if len(header) < 2:
        raise DataError(f"'{path.name}' has no groups.", hint=hint)
    if not any(name in rows for name in names):
        raise DataError(f"'{path.name}' names none of the {len(names)} images.", hint=hint)
    told = f"column of {path.name}"
    slicings = []
    for column, title in enumerate(header[1:], start=1):
        cells = [
            rows[name][column].strip() if name in rows and column < len(rows[name]) else ""
            for name in names
        ]
        groups = tuple(sorted({cell for cell in cells if cell}))
        member = np.array([groups.index(cell) if cell else -1 for cell in cells], np.int64)
        slicings.append(Slicing(title.strip(), told, groups, member))
    return slicings
