"""What `emotion study landmarks` measured, as the landmark lab shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core import LandmarkNoise
from frontends.streamlit_app.documents import DOCS

STUDY_FILE = DOCS / "results" / "landmarks.json"


@dataclass(frozen=True, slots=True)
class NoiseStudy:
    """One model under one kind of error."""

    faces: int
    rows: tuple[dict[str, float], ...]
    """Per error, in percent: ``error``, ``Right`` with its interval from ``low`` to ``high``,
    ``Answered as sure``."""


def read_noise_study(model: str, noise: LandmarkNoise) -> NoiseStudy | None:
    """The figures of ``model``; None where nobody measured them."""
    if not STUDY_FILE.exists():
        return None
    report = json.loads(STUDY_FILE.read_text(encoding="utf-8"))
    metrics = report["models"].get(model)
    if metrics is None:
        return None
    figures = [{"error": 0.0, **metrics["aligned"]}, *metrics["noise"][noise.value]]
    rows = tuple(
        {
            "error": 100 * each["error"],
            "Right": 100 * each["accuracy"],
            "low": 100 * each["accuracy_interval"][0],
            "high": 100 * each["accuracy_interval"][1],
            "Answered as sure": 100 * each["certain"],
        }
        for each in figures
    )
    return NoiseStudy(report["found"], rows)
