"""How steady landmarks are: those of a photo and of its mirror image should be the same points.

Nobody placed points on these faces by hand, so this says how much landmarks depend on chance, not
how right they are; a way whose points move less cannot be further off by chance.

``mirrored.json`` holds the number of ``photos`` and ``faces``, in how many each way placed points
in both pictures (``found``), and, on the faces where all ways did (``by_all``), by way the
distance between the two, mean over eyes and mouth, as a share of the face's longer side. ``view``
is where the detector's eyes and mouth lie in what the mesh's own face finder shows the mesh, in
48ths of its side: medians over ``view_of`` faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import detectors
from core.config import AnalyzerConfig
from core.detectors import Detector
from core.errors import DataError
from core.faces.alignment import CROP_PX
from core.files import write_json
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks, crop_square
from core.landmarks.mesh_networks import MESH_PX, MeshNetworks
from core.types import Box, Face, Landmarks, RgbImage

from ..detector.photos import read_photos
from ..evaluation.intervals import percentile_interval, resample_means

MESH, OWN_FINDER, FIVE_POINTS = "mesh", "mesh_by_its_own_finder", "five_points"
"""The mesh placed by the detector's points, by MediaPipe's face finder, and those points alone."""
WAYS = (MESH, OWN_FINDER, FIVE_POINTS)
SMALLEST_PX = 24.0
"""Shorter side of a face; below, a pixel is a large part of it."""
_SAME_PLACE = 0.2
"""Share of its width by which a face's middle may differ between the two pictures."""

Anchors = NDArray[np.float64]
"""(3, 2): both eyes and the mouth."""


def study_mirrored(
    photos: Path, directory: Path, *, progress: Callable[[str], None] = lambda _text: None
) -> Mapping[str, Any]:
    """Compare the landmarks of the faces in ``photos`` with those in their mirror images.

    The usual detector finds the faces in both. Writes mirrored.json and returns its content;
    DataError for no face.
    """
    detector, _ = detectors.load(AnalyzerConfig())
    skipped: list[str] = []
    counted = 0
    distances: list[dict[str, float | None]] = []
    views: list[Anchors] = []
    networks = MeshNetworks()
    mesh = FaceMeshLandmarks(networks)
    for image in read_photos(photos, skipped):
        counted += 1
        mirror = RgbImage(np.ascontiguousarray(image.pixels[:, ::-1]), image.name)
        for face, other in _pair_faces(image, mirror, detector):
            distances.append(_measure_distances(mesh, (image, face), (mirror, other)))
            views += _find_views(image, face, networks)
        if counted % 50 == 0:
            progress(f"{counted} photos …")
    if not distances:
        raise DataError(
            f"No face of {SMALLEST_PX:.0f} px or more is found in {photos.name} and mirrored.",
            hint="Give photos with faces.",
        )
    report = {
        "data": photos.stem,
        "photos": counted,
        "faces": len(distances),
        "smallest_px": SMALLEST_PX,
        **_compare_ways(distances),
        "view": np.median(views, axis=0).round(2).tolist() if views else None,
        "view_of": len(views),
    }
    write_json(directory / "mirrored.json", report)
    return report


def _pair_faces(
    image: RgbImage, mirror: RgbImage, detector: Detector
) -> Iterator[tuple[Face, Face]]:
    """Yield each face with itself in the mirror image, if both have the detector's points."""
    others = [face for face in detector.detect(mirror) if face.landmarks is not None]
    for face in detector.detect(image):
        if face.landmarks is None or min(face.box.width, face.box.height) < SMALLEST_PX:
            continue
        x, y = _find_middle(face.box)
        gaps = [
            float(np.abs(_find_middle(each.box) - (image.width - x, y)).sum()) for each in others
        ]
        if gaps and min(gaps) <= _SAME_PLACE * face.box.width:
            yield face, others[gaps.index(min(gaps))]


def _find_middle(box: Box) -> NDArray[np.float64]:
    return np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2])


def _measure_distances(
    mesh: LandmarkModel, shown: tuple[RgbImage, Face], mirrored: tuple[RgbImage, Face]
) -> dict[str, float | None]:
    """Return by way how far the points lie apart; None where one picture has none."""
    result: dict[str, float | None] = {}
    image, face = shown
    for way in WAYS:
        here, there = _locate_anchors(way, mesh, *shown), _locate_anchors(way, mesh, *mirrored)
        if here is None or there is None:
            result[way] = None
            continue
        back = there[[1, 0, 2]]  # the eye on the left is on the right in the mirror
        back[:, 0] = image.width - back[:, 0]
        side = max(face.box.width, face.box.height)
        result[way] = float(np.linalg.norm(here - back, axis=1).mean() / side)
    return result


def _locate_anchors(way: str, mesh: LandmarkModel, image: RgbImage, face: Face) -> Anchors | None:
    points: Landmarks | None = face.landmarks
    if way != FIVE_POINTS:
        start = face if way == MESH else replace(face, landmarks=None)
        (points,) = mesh.locate(image, [start])
    return None if points is None else anchor_points(points).astype(np.float64)


def _find_views(image: RgbImage, face: Face, networks: MeshNetworks) -> list[Anchors]:
    """Return where the detector's points lie in the finder's view of the face, if it has one."""
    if face.landmarks is None:
        return []
    square, offset, scale = crop_square(image, face.box)
    middle = (_find_middle(face.box) - offset) / scale
    seen = [
        (float(np.linalg.norm(mesh.points[:, :2].mean(axis=0) - middle)), view)
        for view in networks.find_views(square)
        if (mesh := networks.find_mesh_in(square, view)).present
    ]
    if not seen:
        return []
    off, view = min(seen, key=lambda each: each[0])
    if off * scale > max(face.box.width, face.box.height) / 2:
        return []
    points = (anchor_points(face.landmarks) - offset) / scale
    inside = (points - view[:, 2]) @ np.linalg.inv(view[:, :2]).T
    return [np.asarray(inside * CROP_PX / MESH_PX, np.float64)]


def _compare_ways(rows: list[dict[str, float | None]]) -> dict[str, Any]:
    complete = [row for row in rows if None not in row.values()]
    result: dict[str, Any] = {
        "found": {way: sum(row[way] is not None for row in rows) for way in WAYS},
        "by_all": len(complete),
        "ways": {},
    }
    if not complete:
        return result
    by_way = {way: np.array([row[way] for row in complete], np.float64) for way in WAYS}
    for way, distances in by_way.items():
        gaps = distances - by_way[MESH]
        result["ways"][way] = {
            "mean": float(distances.mean()),
            "mean_interval": list(percentile_interval(resample_means(distances))),
            "median": float(np.median(distances)),
            "p95": float(np.quantile(distances, 0.95)),
            "p99": float(np.quantile(distances, 0.99)),
            "against_mesh": {
                "value": float(gaps.mean()),
                "interval": list(percentile_interval(resample_means(gaps))),
            },
        }
    return result
