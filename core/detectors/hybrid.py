"""Hybrid detector: our own network proposes faces, the last two networks of MTCNN verify them.

MTCNN spends most of its time on proposals: its first network sees the image at ten sizes, ours
sees it once. The two make different mistakes, so a face that both see is more likely to be one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..config import Device, PresetSettings
from ..faces.reduce import shrink_to_fit
from ..runtime import NetworkRunner
from ..types import Face, RgbImage
from .area_windows import integral_image
from .cascade import apply_offsets, decode_faces, run_batched, square_boxes
from .compact import CompactDetector, load_compact_runner
from .mtcnn import load_verifiers

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
        settings: PresetSettings,
        threshold: float | None = None,
    ) -> None:
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold
        # The score is the root of a product whose other factor is at most 1.
        self._proposals = CompactDetector(
            proposal, settings, max(_PROPOSED_FROM, self._threshold**2)
        )
        self._refinement, self._output = refinement, output
        self._judged_px = _CLOSER * settings.working_px

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
        return decode_faces(boxes, answers, scores).to_faces(image, pixels, self._threshold)


def load_hybrid(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
) -> HybridDetector:
    """Load the detector for a preset; WeightsError if any weights are absent or changed."""
    proposal = load_compact_runner(weights_dir, settings.working_px, device)
    return HybridDetector(proposal, *load_verifiers(device), settings, threshold)
