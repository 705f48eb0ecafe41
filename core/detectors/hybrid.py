"""Our own network proposes faces, and the last two networks of MTCNN judge what it proposes.

MTCNN spends its time on proposing: its first network sees the picture in ten sizes. Ours sees it
once. Each alone takes other things for faces, so that what both see is a face more surely.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..config import Device, Engine, PresetSettings
from ..faces.boxes import nms_min_area
from ..faces.reduce import reduced_to
from ..runtime import NetworkRunner
from ..types import Box, Face, Landmarks, RgbImage
from .area_windows import sums_of
from .cascade import SAME_FACE, asked, moved, points_of, squared
from .compact import CompactDetector, compact_runner
from .mtcnn_networks import load_judges

DEFAULT_THRESHOLD = 0.46
"""Of weights that nobody has tuned."""
_PROPOSED_FROM = 0.1
"""Lowest score of our own network that is looked at again, whatever the threshold."""
_REFINED_FROM = 0.2
"""Lowest score of MTCNN's second network; below 0.1 more false alarms come through, above 0.4 fewer
faces do (docs/detection.md)."""
_CLOSER = 2
"""Longest side of the picture that is judged, in working sizes: its networks see 24 and 48 px."""


class HybridDetector:
    """Faces with five landmarks each. Holds no state between calls, so threads may share it."""

    def __init__(
        self,
        proposal: NetworkRunner,
        refinement: NetworkRunner,
        output: NetworkRunner,
        *,
        working_px: int,
        min_face_px: int,
        threshold: float,
    ) -> None:
        self._proposals = CompactDetector(
            proposal,
            working_px=working_px,
            min_face_px=min_face_px,
            # A face's score is the root of a product, of which the other factor is 1 at most.
            threshold=max(_PROPOSED_FROM, threshold**2),
        )
        self._refinement, self._output = refinement, output
        self._judged_px = _CLOSER * working_px
        self._threshold = threshold

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """All faces scored at or above the threshold, best first.

        A score is the geometric mean of what our own and MTCNN's last network say; box and points
        are the latter's.
        """
        pixels = reduced_to(image.pixels, self._judged_px)
        proposed = self._proposals.detect(RgbImage(pixels))
        if not proposed:
            return ()
        sums = sums_of(pixels)
        boxes = squared(
            np.array([(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for f in proposed], np.float32)
        )
        scores = np.array([face.score for face in proposed], np.float32)
        answers = asked(self._refinement, sums, boxes, 24)
        passed = answers[:, 0] >= _REFINED_FROM
        if not passed.any():
            return ()
        boxes = squared(moved(boxes[passed], answers[passed, 1:]))
        answers = asked(self._output, sums, boxes, 48)
        scores = np.sqrt(scores[passed] * answers[:, 0])
        points, boxes = points_of(boxes, answers), moved(boxes, answers[:, 1:5])
        back = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        faces = []
        for index in nms_min_area(boxes, scores, SAME_FACE):
            if scores[index] >= self._threshold:
                x1, y1, x2, y2 = (float(edge) for edge in boxes[index] * np.tile(back, 2))
                five = Landmarks((points[index] * back).astype(np.float32), "five_points")
                score = float(min(scores[index], 1.0))
                faces.append(Face(Box(x1, y1, x2, y2), score, five))
        return tuple(faces)


def load_hybrid(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
) -> HybridDetector:
    """Both for a preset; WeightsError when the weights of either are absent or changed."""
    refinement, output = load_judges(device)
    return HybridDetector(
        compact_runner(weights_dir, settings.working_px, engine=engine, device=device),
        refinement,
        output,
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
    )
