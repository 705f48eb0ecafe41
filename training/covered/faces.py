"""The faces that the check learns from, framed as the pipeline frames them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.config import AnalyzerConfig
from core.faces.alignment import FaceFrame, crop_face, matrix_from_anchors
from core.faces.quality import READABLE_PX
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.pipeline import Analyzer
from core.types import RgbImage, UInt8Array

from ..data.anchors import find_anchors
from ..data.faces import FaceSet, read_faces, sample_faces
from ..data.splits import Split
from ..detector.photos import read_photos


@dataclass(frozen=True, slots=True, eq=False)
class FramedFaces:
    """Faces in the pipeline's frame."""

    crops: UInt8Array
    """(N, 48, 48) grey."""
    labelled: NDArray[np.bool_]
    """(N,) whether it comes from a set of labelled faces, few of which are covered."""
    skipped: tuple[str, ...]
    """Files that could not be read, each with the reason."""


def read_framed_faces(
    sources: Sequence[Path], photos: Path | None, *, most: int, seed: int
) -> FramedFaces:
    """Return at most ``most`` labelled training faces, and all readable faces of ``photos``.

    Faces whose eyes and mouth are not located are left out, because the check never sees them.
    DataError if ``sources`` have no face.
    """
    faces = sample_faces(read_faces(sources, Split.TRAIN), most, seed)
    crops = list(frame_faces(faces).values())
    skipped = list(faces.skipped)
    labelled = len(crops)
    if photos is not None:
        crops += cut_faces(photos, skipped)
    return FramedFaces(np.stack(crops), np.arange(len(crops)) < labelled, tuple(skipped))


def frame_faces(faces: FaceSet) -> dict[int, UInt8Array]:
    """Return by its index each of the 48x48 ``faces`` whose eyes and mouth are found, framed."""
    frame = FaceFrame()
    framed = {}
    for index, anchors in enumerate(find_anchors(faces.images, FaceMeshLandmarks())):
        matrix = None if anchors is None else matrix_from_anchors(anchors, frame)
        if matrix is not None:
            image = RgbImage(np.asarray(cv2.cvtColor(faces.images[index], cv2.COLOR_GRAY2RGB)))
            framed[index] = crop_face(image, matrix).pixels
    return framed


def cut_faces(photos: Path, skipped: list[str]) -> list[UInt8Array]:
    """Return the (48, 48) crops of all readable faces in a folder or zip of photos."""
    analyzer = Analyzer.from_config(AnalyzerConfig())
    crops = []
    for image in read_photos(photos, skipped):
        found = analyzer.prepare(image)
        crops += [
            crop.pixels
            for crop, quality in zip(found.crops, found.qualities, strict=True)
            if quality.yaw is not None and quality.size_px >= READABLE_PX
        ]
    return crops
