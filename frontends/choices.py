"""The settings that both fronts offer, each with its label and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import TARGET_ACCURACY, OperatingPoint, Preset, detector_catalog

if TYPE_CHECKING:
    from core import DetectionFigures

MODEL_HELP = (
    "The network that reads the emotion. How often it is right was measured on PublicTest, the "
    "validation part of the public face collection FER-2013."
)
PRESET_LABEL = "How thoroughly to look for faces"
PRESET_HELP = {
    Preset.FAST: "Quickest; misses small faces",
    Preset.BALANCED: "Portraits and groups",
    Preset.THOROUGH: "Small faces in large photos; slowest",
}
SMALLEST_FACE = (
    "A face must be at least about 20 pixels wide and at least 2 % of the photo's longer side. "
    "Thorough also finds smaller ones."
)
DETECTOR_LABEL = "Face detector"
DETECTOR_HELP = "The program that finds the faces. " + " ".join(
    f"{info.title}: {info.description}" for info in detector_catalog() if info.description
)
LEVEL_LABEL = 'Say "Not sure" below'
LEVEL_HELP = (
    'If no emotion is this probable, the answer is "Not sure". At the recommended level, '
    f"{100 * TARGET_ACCURACY:.0f} of 100 answers that were given were right."
)
THRESHOLD_HELP = (
    "The detector gives a score to everything that may be a face. Only what scores above the "
    "threshold is kept. A lower threshold finds more faces, but also more things that are not "
    "faces; try it on the page Detection lab."
)
POINT_LABEL = "If unsure whether something is a face"
POINT_TITLES = {
    OperatingPoint.PRECISION: "Fewer false faces",
    OperatingPoint.BALANCED: "Balanced",
    OperatingPoint.RECALL: "Fewer missed faces",
}

RECOMMENDED = "Recommended"

CERTAIN_LEVELS: dict[str, float | None] = {
    RECOMMENDED: None,  # chosen on validation faces and stored with each model
    **{f"{level} %": level / 100 for level in range(30, 100, 10)},
}
"""The lowest probability at which an answer counts as sure."""


def detector_title(name: str) -> str:
    """Return a detector's name as a person reads it."""
    return next((info.title for info in detector_catalog() if info.name == name), name)


def format_point_metrics(figures: DetectionFigures | None, point: OperatingPoint) -> str:
    """Return how good the detector is at ``point``; empty if it was not measured."""
    if figures is None:
        return ""
    here = figures.points[point]
    wrong = 100 - round(100 * here.precision)
    return f"Finds {100 * here.recall:.0f} of 100 faces; {wrong} of 100 frames hold no face"
