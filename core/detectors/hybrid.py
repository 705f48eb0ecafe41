"""Hybrid detector: our own network proposes faces, the last two networks of MTCNN verify them.

MTCNN spends most of its time on proposals: its first network sees the image at ten sizes, ours
sees it once. The two make different mistakes, so a face that both see is more likely to be one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..config import Device, Engine, PresetSettings
from ..faces.boxes import nms_min_area
from ..faces.reduce import shrink_to_fit
from ..runtime import NetworkRunner
from ..types import Face, RgbImage
from .area_windows import integral_image
from .cascade import (
    SAME_FACE,
    CascadeResult,
    apply_offsets,
    decode_points,
    faces_above,
    run_batched,
    square_boxes,
)
from .compact import CompactDetector, compact_runner
from .mtcnn_networks import load_verifiers

DEFAULT_THRESHOLD = 0.46
"""For weights without a tuned threshold."""
_PROPOSED_FROM = 0.1
"""Lowest score of our own network that is verified, whatever the threshold."""
_REFINED_FROM = 0.2
"""Lowest score of MTCNN's second network; below 0.1 there are more false alarms, above 0.4 fewer
faces are found (docs/detection.md)."""
_CLOSER = 2
"""Longest side of the image for MTCNN's networks, which see 24 and 48 px, in working sizes."""


class HybridDetector:
    """Finds faces with five landmarks each; threads may share it."""

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
            # The score is the root of a product whose other factor is at most 1.
            threshold=max(_PROPOSED_FROM, threshold**2),
        )
        self._refinement, self._output = refinement, output
        self._judged_px = _CLOSER * working_px
        self._threshold = threshold

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces scored at or above the threshold, best first.

        A score is the geometric mean of those of our own and of MTCNN's last network; box and
        points come from the latter.
        """
        pixels = shrink_to_fit(image.pixels, self._judged_px)
        proposed = self._proposals.detect(RgbImage(pixels))
        if not proposed:
            return ()
        sums = integral_image(pixels)
        boxes = square_boxes(
            np.array([(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for f in proposed], np.float32)
        )
        scores = np.array([face.score for face in proposed], np.float32)
        answers = run_batched(self._refinement, sums, boxes, 24)
        passed = answers[:, 0] >= _REFINED_FROM
        if not passed.any():
            return ()
        boxes = square_boxes(apply_offsets(boxes[passed], answers[passed, 1:]))
        answers = run_batched(self._output, sums, boxes, 48)
        scores = np.sqrt(scores[passed] * answers[:, 0])
        points, boxes = decode_points(boxes, answers), apply_offsets(boxes, answers[:, 1:5])
        back = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]])
        kept = nms_min_area(boxes, scores, SAME_FACE)
        result = CascadeResult(boxes[kept], scores[kept], points[kept])
        return tuple(faces_above(result, self._threshold, back))


def load_hybrid(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
    engine: Engine = Engine.AUTO,
) -> HybridDetector:
    """Load the detector for a preset; WeightsError if any weights are absent or changed."""
    refinement, output = load_verifiers(device)
    return HybridDetector(
        compact_runner(weights_dir, settings.working_px, engine=engine, device=device),
        refinement,
        output,
        working_px=settings.working_px,
        min_face_px=settings.min_face_px,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
    )
