"""The settings that both fronts offer, each with its label and help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import TARGET_ACCURACY, OperatingPoint, Preset, Reading, detector_catalog

if TYPE_CHECKING:
    from core import DetectionFigures

READING_LABEL = "What the answer is about"
READING_TITLES = {
    Reading.PEOPLE: "What people would see",
    Reading.FER2013: "FER-2013's label",
}
READING_NOTES = {
    Reading.PEOPLE: "Recommended",
    Reading.FER2013: "To compare with papers",
}
READING_HELP = (
    "FER-2013 is the public collection of faces from which the networks learned; each of its faces "
    "has one label, and often most people see another emotion than the label says."
)
MODEL_HELP = (
    "The network that reads the emotion. How good it is was measured on PublicTest, the "
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
LEVEL_LABEL = "Smallest share for an answer"
LEVEL_HELP = {
    Reading.PEOPLE: (
        "If fewer people than this would say the same emotion, the answer is "
        f'"Not sure". At the recommended level, {100 * TARGET_ACCURACY[Reading.PEOPLE]:.0f} of '
        "100 answers that were given for test faces named what most people saw."
    ),
    Reading.FER2013: (
        'If no label is this probable, the answer is "Not sure". At the recommended level, '
        f"{100 * TARGET_ACCURACY[Reading.FER2013]:.0f} of 100 answers that were given for test "
        "faces were right."
    ),
}
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
"""The lowest share of people, or probability of a label, at which an answer counts as sure."""


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
