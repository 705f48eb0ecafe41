"""Hybrid detector: our own network proposes faces, the last two networks of MTCNN verify them.

MTCNN spends most of its time on proposals: its first network sees the image at ten sizes, ours
sees it once. The two make different mistakes, so a face that both see is more likely to be one.
The last network, the judge, learned again from what ours proposes (`emotion detector train-judge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import Device, Engine, PresetSettings
from ..faces.reduce import shrink_to_fit
from ..runtime import Network, NetworkRunner, runner_for
from ..runtime.assembly import assemble_network
from ..types import Face, Float32Array, RgbImage, UInt8Array
from ..weights import StoredWeights, find_detector
from .area_windows import Sums, integral_image
from .cascade import Boxes, apply_offsets, decode_faces, run_batched, square_boxes
from .compact import NAME as COMPACT
from .compact import CompactDetector, load_compact_runner
from .mtcnn import build_mtcnn_network, load_mtcnn_runner

DEFAULT_THRESHOLD = 0.46
"""For weights without a tuned threshold."""
_PROPOSED_FROM = 0.1
"""Lowest score of our own network that is verified, whatever the threshold."""
_REFINED_FROM = 0.2
"""Lowest score of MTCNN's second network; below 0.1 there are more false alarms, above 0.4 fewer
faces are found (docs/detection.md)."""
JUDGE = "judge"
"""Name of its weights among the manifest's detectors."""
JUDGED_PX = 48
"""Side of the square that the judge sees."""
_FORMAT = "1"
"""Increase whenever the judge computes something else from the same weights."""
_CLOSER = 2
"""Longest side of the image for MTCNN's networks, which see 24 and 48 px, in working sizes."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What our own network proposes in one image, refined."""

    pixels: UInt8Array
    """(H, W, 3) the image at the size that the judge sees."""
    sums: Sums
    """Its integral image."""
    boxes: Boxes
    """(N, 4) squares in it."""
    scores: Float32Array
    """(N,) of our own network."""


class HybridDetector:
    """Finds faces with five landmarks each; threads may share it."""

    def __init__(
        self,
        proposal: NetworkRunner,
        refinement: NetworkRunner,
        judge: NetworkRunner,
        settings: PresetSettings,
        threshold: float | None = None,
    ) -> None:
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold
        # The score is the root of a product whose other factor is at most 1.
        self._proposals = CompactDetector(
            proposal, settings, max(_PROPOSED_FROM, self._threshold**2)
        )
        self._refinement, self._judge = refinement, judge
        self._judged_px = _CLOSER * settings.working_px

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return all faces scored at or above the threshold, best first.

        A score is the geometric mean of those of our own network and of the judge; box and points
        come from the latter.
        """
        found = self.find_candidates(image)
        if found is None:
            return ()
        answers = self.judge(found)
        scores = np.sqrt(found.scores * answers[:, 0])
        faces = decode_faces(found.boxes, answers, scores)
        return faces.to_faces(image, found.pixels, self._threshold)

    def judge(self, candidates: Candidates) -> Float32Array:
        """Return (N, 15): probability of a face, box offsets, then the x and y of five points."""
        return run_batched(self._judge, candidates.sums, candidates.boxes, JUDGED_PX)

    def find_candidates(self, image: RgbImage) -> Candidates | None:
        """Return what the judge decides about, or None if there is nothing."""
        pixels = shrink_to_fit(image.pixels, self._judged_px)
        proposed = self._proposals.detect(RgbImage(pixels))
        if not proposed:
            return None
        sums = integral_image(pixels)
        boxes = square_boxes(
            np.array([(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for f in proposed], np.float32)
        )
        scores = np.array([face.score for face in proposed], np.float32)
        answers = run_batched(self._refinement, sums, boxes, 24)
        passed = answers[:, 0] >= _REFINED_FROM
        if not passed.any():
            return None
        boxes = square_boxes(apply_offsets(boxes[passed], answers[passed, 1:]))
        return Candidates(pixels, sums, boxes, scores[passed])


def load_hybrid(
    *,
    settings: PresetSettings,
    threshold: float | None = None,
    device: Device = Device.AUTO,
    weights_dir: Path | None = None,
) -> HybridDetector:
    """Load the detector for a preset; WeightsError if any weights are absent or changed."""
    compact = find_detector(COMPACT, weights_dir)
    proposal = load_compact_runner(compact, settings.working_px, device)
    refinement = load_mtcnn_runner("rnet", device)
    judge = load_judge(find_detector(JUDGE, weights_dir), device)
    return HybridDetector(proposal, refinement, judge, settings, threshold)


def load_judge(stored: StoredWeights, device: Device) -> NetworkRunner:
    """Load the judge; WeightsError if its weights were changed."""
    return runner_for(judge_network(stored), engine=Engine.AUTO, device=device)


def judge_network(stored: StoredWeights) -> Network:
    """Return what a runner needs to run the judge with the ``stored`` weights."""
    stored.read_verified()  # even if a compiled copy is cached
    return Network(
        assemble=lambda: assemble_network("onet", stored.load_arrays()),
        build=lambda: build_mtcnn_network("onet", stored),
        input_shape=(-1, 3, JUDGED_PX, JUDGED_PX),
        fingerprint=f"{JUDGE} {_FORMAT} {stored.sha256}",
    )
