"""Finding faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..registry import Registry

if TYPE_CHECKING:
    from ..types import Face, RgbImage


class Detector(Protocol):
    """Anything that finds faces; safe from several threads."""

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """All faces, in any order, or none; boxes may reach beyond the picture."""
        ...


DETECTORS: Registry[Detector] = Registry("detector")
DETECTORS.add("hybrid", "core.detectors.hybrid:load_hybrid")
DETECTORS.add("mtcnn", "core.detectors.mtcnn:load_mtcnn")
DETECTORS.add("compact", "core.detectors.compact:load_compact")

WEIGHTS_OF = {"hybrid": "compact"}
"""Whose weights a detector uses that has none under its own name."""
