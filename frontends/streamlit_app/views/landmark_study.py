"""What `emotion study landmarks` measured, as the landmark lab shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core import LandmarkNoise
from frontends.streamlit_app.documents import DOCS

STUDY_FILE = DOCS / "results" / "landmarks.json"


@dataclass(frozen=True, slots=True)
class MeasuredNoise:
    """One model under one kind of error."""

    faces: int
    rows: tuple[dict[str, float], ...]
    """Per error, in percent: ``error``, ``Right``, ``Answered as sure``."""
    half_interval: float
    """Of ``Right``, in points, the widest of them."""


def measured_noise(model: str, noise: LandmarkNoise) -> MeasuredNoise | None:
    """The figures of ``model``; None where nobody measured them."""
    if not STUDY_FILE.exists():
        return None
    report = json.loads(STUDY_FILE.read_text(encoding="utf-8"))
    told = report["models"].get(model)
    if told is None:
        return None
    figures = [{"error": 0.0, **told["aligned"]}, *told["noise"][noise.value]]
    rows = tuple(
        {
            "error": 100 * each["error"],
            "Right": 100 * each["accuracy"],
            "Answered as sure": 100 * each["certain"],
        }
        for each in figures
    )
    spans = (each["accuracy_interval"] for each in figures)
    return MeasuredNoise(report["found"], rows, max(50 * (high - low) for low, high in spans))
