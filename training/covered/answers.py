"""What certain answers are worth when part of the face is covered, on labelled faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.classifiers.model import EmotionModel, load_trained_model
from core.config import AnalyzerConfig, Device, Engine
from core.faces.alignment import CROP_PX
from core.faces.covered import CoverCheck, load_cover_check
from core.labels import Reading
from core.landmarks.face_mesh import FaceMeshLandmarks
from core.types import Landmarks, RgbImage, UInt8Array

from ..data.anchors import find_landmarks
from ..data.faces import FaceSet, read_faces
from ..data.splits import Split
from ..data.votes import VOTE_CLASSES, read_votes
from ..evaluation.intervals import share_with_interval
from .photo_drawings import DRAWINGS, Drawing, draw_over

_ENLARGED = 4
"""Things are drawn at this many times the size of a face."""


def measure_answers(
    sources: Sequence[Path], votes_file: Path, weights_dir: Path | None
) -> dict[str, Any]:
    """Return a row for faces as they are and for each group of drawings that covers something.

    Uses the validation faces of ``sources`` whose eyes and mouth are located and on which the check
    finds nothing, in turn with each drawing of the group. ``certain_share`` and
    ``certain_accuracy`` are those of the default model's answers, as if the check were not there.
    ``weights_dir`` is the folder of the check; None means the shipped one.
    """
    faces = read_faces(sources, Split.VALIDATION)
    counts = read_votes(votes_file, faces.names).counts[:, :VOTE_CLASSES]
    check = load_cover_check(weights_dir)
    located = list(find_landmarks(faces.images, FaceMeshLandmarks()))
    usable = [
        index
        for index, landmarks in enumerate(located)
        if landmarks is not None
        and counts[index].any()
        and not check.find_covered(faces.images[index])
    ]
    model_name = AnalyzerConfig().model
    model = load_trained_model(model_name, weights_dir=None, engine=Engine.AUTO, device=Device.AUTO)
    most = counts[usable]
    rows = [_measure(model, check, faces.images[usable], most, group="as they are", part="")]
    groups: dict[str, list[Drawing]] = {}
    for drawing in DRAWINGS:
        if drawing.covers:
            groups.setdefault(drawing.group, []).append(drawing)
    for group, drawings in groups.items():
        drawn = _draw_in_turn(faces, usable, located, drawings)
        rows.append(
            _measure(model, check, drawn, most, group=group, part=str(drawings[0].covers[0]))
        )
    return {"data": [source.name for source in sources], "model": model_name, "rows": rows}


def _draw_in_turn(
    faces: FaceSet,
    usable: Sequence[int],
    located: Sequence[Landmarks | None],
    drawings: Sequence[Drawing],
) -> UInt8Array:
    """Return the usable faces with the drawings over them, one after the other."""
    drawn = []
    for place, index in enumerate(usable):
        landmarks = located[index]
        if landmarks is None:
            raise ValueError("expected landmarks for every usable face")
        large = cv2.resize(
            faces.images[index], None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC
        )
        image = RgbImage(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), np.uint8))
        shown = draw_over(image, landmarks.points * _ENLARGED, drawings[place % len(drawings)])
        grey = cv2.cvtColor(shown.pixels, cv2.COLOR_RGB2GRAY)
        drawn.append(cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA))
    return np.asarray(np.stack(drawn), np.uint8)


def _measure(
    model: EmotionModel,
    check: CoverCheck,
    crops: UInt8Array,
    counts: NDArray[np.floating[Any]],
    *,
    group: str,
    part: str,
) -> dict[str, Any]:
    calibration = model.calibrations[Reading.PEOPLE]
    probabilities = calibration.probabilities(model.logits(crops))
    certain = calibration.is_certain(probabilities)
    rows = np.arange(len(crops))
    right = counts[rows, probabilities.argmax(axis=1)] == counts.max(axis=1)
    called = np.array([bool(check.find_covered(crop)) for crop in crops])
    left = certain & ~called
    return {
        "group": group,
        "part": part,
        "faces": len(crops),
        **share_with_interval("accuracy", int(right.sum()), len(crops)),
        **share_with_interval("certain_share", int(certain.sum()), len(crops)),
        **share_with_interval("certain_accuracy", int((right & certain).sum()), int(certain.sum())),
        **share_with_interval("called_share", int(called.sum()), len(crops)),
        "certain_left": int(left.sum()),
        "certain_left_right": int((left & right).sum()),
    }
