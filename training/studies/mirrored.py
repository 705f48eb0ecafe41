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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import AnalyzerConfig
from core.detectors import DETECTORS, Detector
from core.detectors.tuning import tuned_threshold
from core.errors import DataError
from core.faces.alignment import CROP_PX
from core.files import write_json
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks, crop_square
from core.landmarks.mesh_networks import MESH_PX, MeshNetworks
from core.types import Box, Face, Landmarks, RgbImage

from ..detector.photos import read_photos
from ..evaluation.intervals import LEVEL, RESAMPLES

MESH, OWN_FINDER, FIVE_POINTS = "mesh", "mesh_by_its_own_finder", "five_points"
"""The mesh placed by the detector's points, by MediaPipe's face finder, and those points alone."""
WAYS = (MESH, OWN_FINDER, FIVE_POINTS)
SMALLEST_PX = 24.0
"""Shorter side of a face; below, a pixel is a large part of it."""
_SAME_PLACE = 0.2
"""Share of its width by which a face's middle may differ between the two pictures."""

Anchors = NDArray[np.float64]
"""(3, 2): both eyes and the mouth."""


@dataclass(frozen=True, slots=True)
class MirroredStudy:
    """What was found and where it lies."""

    directory: Path
    report: Mapping[str, Any]
    """The content of ``mirrored.json``."""


def study_mirrored(
    photos: Path, directory: Path, *, progress: Callable[[str], None] = lambda _text: None
) -> MirroredStudy:
    """Compare the landmarks of the faces in ``photos`` with those in their mirror images.

    The detector is the usual one, asked about either picture. DataError for no face.
    """
    detector = _detector()
    skipped: list[str] = []
    counted = 0
    moved: list[dict[str, float | None]] = []
    views: list[Anchors] = []
    networks = MeshNetworks()
    mesh = FaceMeshLandmarks(networks)
    for image in read_photos(photos, skipped):
        counted += 1
        mirror = RgbImage(np.ascontiguousarray(image.pixels[:, ::-1]), image.name)
        for face, other in _pairs(image, mirror, detector):
            moved.append(_moved(mesh, (image, face), (mirror, other)))
            views += _views(image, face, networks)
        if counted % 50 == 0:
            progress(f"{counted} photos …")
    if not moved:
        raise DataError(
            f"No face of {SMALLEST_PX:.0f} px or more is found in {photos.name} and mirrored.",
            hint="Give photos with faces.",
        )
    report = {
        "data": photos.stem,
        "photos": counted,
        "faces": len(moved),
        "smallest_px": SMALLEST_PX,
        **_compared(moved),
        "view": np.median(views, axis=0).round(2).tolist() if views else None,
        "view_of": len(views),
    }
    write_json(directory / "mirrored.json", report)
    return MirroredStudy(directory, report)


def _detector() -> Detector:
    config = AnalyzerConfig()
    name = config.chosen_detector
    threshold = tuned_threshold(name, config.preset, config.operating_point)
    return DETECTORS.get(name)(
        settings=config.settings, threshold=threshold, device=config.device, weights_dir=None
    )


def _pairs(image: RgbImage, mirror: RgbImage, detector: Detector) -> Iterator[tuple[Face, Face]]:
    """Each face with itself in the mirror image, where it is found in both with its points."""
    others = [face for face in detector.detect(mirror) if face.landmarks is not None]
    for face in detector.detect(image):
        if face.landmarks is None or min(face.box.width, face.box.height) < SMALLEST_PX:
            continue
        there = _middle(face.box, width=image.width)
        near = min(
            others,
            key=lambda other: float(np.abs(_middle(other.box) - there).sum()),
            default=None,
        )
        if near is not None:
            off = np.abs(_middle(near.box) - there).sum()
            if off <= _SAME_PLACE * face.box.width:
                yield face, near


def _middle(box: Box, *, width: int | None = None) -> NDArray[np.float64]:
    """Of ``box``; mirrored in a picture of ``width``, if given."""
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    return np.array([x if width is None else width - x, y])


def _moved(
    mesh: LandmarkModel, shown: tuple[RgbImage, Face], mirrored: tuple[RgbImage, Face]
) -> dict[str, float | None]:
    """By way, how far the points lie apart; None where they are not found in both pictures."""
    result: dict[str, float | None] = {}
    image, face = shown
    for way in WAYS:
        here, there = _anchors(way, mesh, *shown), _anchors(way, mesh, *mirrored)
        if here is None or there is None:
            result[way] = None
            continue
        back = there[[1, 0, 2]]  # the eye on the left is on the right in the mirror
        back[:, 0] = image.width - back[:, 0]
        side = max(face.box.width, face.box.height)
        result[way] = float(np.linalg.norm(here - back, axis=1).mean() / side)
    return result


def _anchors(way: str, mesh: LandmarkModel, image: RgbImage, face: Face) -> Anchors | None:
    points: Landmarks | None = face.landmarks
    if way != FIVE_POINTS:
        asked = face if way == MESH else replace(face, landmarks=None)
        (points,) = mesh.locate(image, [asked])
    return None if points is None else anchor_points(points).astype(np.float64)


def _views(image: RgbImage, face: Face, networks: MeshNetworks) -> list[Anchors]:
    """Where the detector's points lie in the finder's view of the face, if it has one."""
    if face.landmarks is None:
        return []
    square, offset, scale = crop_square(image, face.box)
    middle = (_middle(face.box) - offset) / scale
    seen = [
        (float(np.linalg.norm(mesh[:, :2].mean(axis=0) - middle)), view)
        for view in networks.find_views(square)
        if (mesh := networks.find_mesh_in(square, view)) is not None
    ]
    if not seen:
        return []
    off, view = min(seen, key=lambda each: each[0])
    if off * scale > max(face.box.width, face.box.height) / 2:
        return []
    points = (anchor_points(face.landmarks) - offset) / scale
    inside = (points - view[:, 2]) @ np.linalg.inv(view[:, :2]).T
    return [np.asarray(inside * CROP_PX / MESH_PX, np.float64)]


def _compared(moved: list[dict[str, float | None]]) -> dict[str, Any]:
    whole = [row for row in moved if all(row[way] is not None for way in WAYS)]
    result: dict[str, Any] = {
        "found": {way: sum(row[way] is not None for row in moved) for way in WAYS},
        "by_all": len(whole),
        "ways": {},
    }
    if not whole:
        return result
    far = {way: np.array([row[way] for row in whole], np.float64) for way in WAYS}
    draws = np.random.default_rng(0).integers(0, len(whole), (RESAMPLES, len(whole)))
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    for way, distances in far.items():
        gaps = (distances - far[MESH])[draws].mean(axis=1)
        result["ways"][way] = {
            "mean": float(distances.mean()),
            "mean_interval": np.quantile(distances[draws].mean(axis=1), tails).tolist(),
            "median": float(np.median(distances)),
            "p95": float(np.quantile(distances, 0.95)),
            "p99": float(np.quantile(distances, 0.99)),
            "against_mesh": {
                "value": float((distances - far[MESH]).mean()),
                "interval": np.quantile(gaps, tails).tolist(),
            },
        }
    return result
