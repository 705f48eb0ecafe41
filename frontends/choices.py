"""The settings that both fronts offer, and what is said beside each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import OperatingPoint, detector_catalog

if TYPE_CHECKING:
    from core import DetectionFigures

MODEL_HELP = (
    "The network that reads the emotion. How often it is right was measured on PublicTest, the "
    "validation part of the public face collection FER-2013."
)
DETECTOR_HELP = "What finds the faces. " + " ".join(
    f"{info.title}: {info.description}" for info in detector_catalog() if info.description
)
LEVEL_HELP = (
    'An answer less probable than this is shown as "Not sure". The recommended level is the one at '
    "which 80 % of the sure answers were right."
)

THRESHOLD_HELP = (
    "How sure the detector must be that something is a face. A lower threshold finds more faces "
    "but also more that are none; try it on the page Detection lab."
)
POINT_LABEL = "If unsure whether something is a face"

POINT_TITLES = {
    OperatingPoint.PRECISION: "Fewer false faces",
    OperatingPoint.BALANCED: "Balanced",
    OperatingPoint.RECALL: "Fewer missed faces",
}

RECOMMENDED = "Recommended"

CERTAIN_LEVELS: dict[str, float | None] = {
    RECOMMENDED: None,  # fixed on validation faces, and stored with each model
    **{f"{level} %": level / 100 for level in range(30, 100, 10)},
}
"""From which probability an answer counts as sure."""


def detector_title(name: str) -> str:
    """Return a detector's name as a person reads it."""
    return next((info.title for info in detector_catalog() if info.name == name), name)


def format_point_metrics(figures: DetectionFigures | None, point: OperatingPoint) -> str:
    """What choosing ``point`` means, as far as it was measured."""
    if figures is None:
        return ""
    here = figures.points[point]
    found = round(100 * here.recall)
    wrong = 100 - round(100 * here.precision)
    return f"Finds {found} of 100 faces; {wrong} of 100 boxes are wrong"
