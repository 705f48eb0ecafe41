"""Measuring where eyes and mouth lie in FER-2013's pictures: ``python -m training.frame``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import DataError, ProjectError
from core.imaging.alignment import CROP_PX, FaceFrame
from core.landmarks import LandmarkModel
from core.landmarks.anchors import anchor_points
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Box, Face, Float32Array, RgbImage, UInt8Array

from .data import data_described, read_faces
from .export import write_whole
from .options import Split

PADDING_PX = 12
"""Repeated border on each side: the mesh's face finder wants room around a face."""
ENLARGED = 5
"""Times; the mesh's network sees 192 px."""
_ANCHORS = tuple(field.name for field in dataclasses.fields(FaceFrame))
_SPREAD = (5, 25, 50, 75, 95)
"""Percentiles that are told."""


def measured_anchors(images: UInt8Array, mesh: LandmarkModel) -> Float32Array:
    """(M, 3, 2) left eye, right eye and mouth of the M <= N faces that ``mesh`` finds.

    ``images`` is (N, 48, 48) uint8. Positions are in pixels of those, with the picture
    spanning 0 to 48, so that its middle is (24, 24).
    """
    found = []
    for face in images:
        padded = cv2.copyMakeBorder(face, *(PADDING_PX,) * 4, cv2.BORDER_REPLICATE)
        large = cv2.resize(padded, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        image = RgbImage(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), "face")
        near, far = PADDING_PX * ENLARGED, (PADDING_PX + CROP_PX) * ENLARGED
        (landmarks,) = mesh.locate(image, [Face(Box(near, near, far, far), 1.0)])
        if landmarks is not None:
            found.append(anchor_points(landmarks) / ENLARGED - PADDING_PX)
    return np.array(found, dtype=np.float32).reshape(-1, 3, 2)


def described(anchors: Float32Array) -> dict[str, Any]:
    """Median and spread of (M, 3, 2) ``anchors``, M at least 1, beside the frame in use."""
    told: dict[str, Any] = {}
    for index, name in enumerate(_ANCHORS):
        low, median, high = np.percentile(anchors[:, index], (25, 50, 75), axis=0)
        used = np.array(getattr(FaceFrame(), name))
        told[name] = {
            "median": _rounded(median),
            "quartiles": [_rounded(low), _rounded(high)],
            "in_use": _rounded(used),
            "difference": _rounded(median - used),
        }
    across = anchors[:, 1] - anchors[:, 0]
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    told["eye_distance"] = _percentiles(np.linalg.norm(across, axis=1))
    told["roll_degrees"] = _percentiles(roll)
    return told


def measure(sources: Sequence[Path], out: Path, *, sample: int | None = None) -> dict[str, Any]:
    """Measure ``sample`` training faces of ``sources`` (all if None) and write ``out``."""
    faces = read_faces(sources, Split.TRAIN)
    if sample is not None and sample < len(faces):
        chosen = np.random.default_rng(0).choice(len(faces), size=sample, replace=False)
        faces = faces.subset(np.sort(chosen))
    anchors = measured_anchors(faces.images, FaceMeshLandmarks())
    if not len(anchors):
        raise DataError(
            f"The face mesh finds no face in {len(faces)} pictures.",
            hint="Give pictures that each show one face.",
        )
    document = {
        "schema_version": 1,
        "data": data_described(faces.names, sources),
        "n": len(faces),
        "found": len(anchors),
        **described(anchors),
    }
    write_whole(out, (json.dumps(document, indent=2) + "\n").encode())
    return document


def _percentiles(values: Float32Array) -> dict[str, float]:
    found = np.percentile(values, _SPREAD)
    return {f"p{share}": round(float(each), 2) for share, each in zip(_SPREAD, found, strict=True)}


def _rounded(values: Any) -> list[float]:
    return [round(float(each), 2) for each in values]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.frame", description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="DIR_OR_ZIP")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    parser.add_argument("--sample", type=int, metavar="N", help="measure N faces, not all")
    given = parser.parse_args(arguments)
    try:
        told = measure(given.data, given.out, sample=given.sample)
    except ProjectError as error:
        sys.stderr.write(f"Error: {error.message}\n{error.hint}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
