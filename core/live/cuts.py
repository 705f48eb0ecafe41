"""Noticing hard cuts: where a film goes on with another scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Float32Array, RgbImage

_SIDE_PX = 32
_SAMPLED_PX = 180
"""Of the shorter side: enough for 25 pixels in each mean, in a tenth of the time of all pixels."""
_LEAST_CHANGE = 12.0
"""Grey levels, of 255. Noise and compression change a still picture by less than 3."""
_TIMES_USUAL = 3.0
_MEMORY = 0.8
"""How much of the usual change is kept from frame to frame: about the last five count."""


@dataclass(slots=True)
class CutDetector:
    """Compares each frame of one film with the one before.

    A cut changes the picture at once, far more than the motion just before. What counts is the
    quarter of the picture that changes most, so that a cut between two people in front of the same
    wall is one. A flash of light looks like a cut; so the faces have to be compared too.
    """

    _before: Float32Array | None = None
    _usual: float | None = None

    def is_cut(self, image: RgbImage) -> bool:
        """Return whether ``image`` begins a new scene; the first two frames do not."""
        step = max(1, min(image.width, image.height) // _SAMPLED_PX)
        sampled = np.ascontiguousarray(image.pixels[::step, ::step])
        small = cv2.resize(sampled, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        now = small.astype(np.float32)
        before, self._before = self._before, now
        if before is None:
            return False
        changes = np.sort(np.abs(now - before).mean(axis=2), axis=None)
        change = float(changes[-changes.size // 4 :].mean())
        if self._usual is None:
            self._usual = change
        cut = change > max(_LEAST_CHANGE, _TIMES_USUAL * self._usual)
        # A cut counts too: if it was the begin of a fast movement, the next frames are none.
        self._usual = _MEMORY * self._usual + (1 - _MEMORY) * change
        return cut
