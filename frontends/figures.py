"""The measured figures of the models, as rows of a table, and their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core import ModelInfo, format_metric

from .wording import model_title

_SPLITS = {"test": "PrivateTest", "validation": "PublicTest"}
_ABSENT = "–"

FIGURES_HELP = (
    "Measured on parts of FER-2013, a public collection of small grey pictures of faces, from "
    "which no network learned; in brackets the 95 % confidence interval. The calibration error is "
    "how far a probability lies, on average, from the share of answers that were right."
)

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_CURVES = {
    "pareto.png": "Accuracy against time: up and to the left is better.",
    "risk_coverage.png": "How many answers are right when only the surest are given: higher is "
    "better.",
}


def curves() -> list[tuple[Path, str]]:
    """The pictures that compare the models, each with what it shows; those that are there."""
    return [(_IMAGES / name, text) for name, text in _CURVES.items() if (_IMAGES / name).exists()]


def metric_rows(models: Sequence[ModelInfo]) -> list[dict[str, str]]:
    """One row per figure, one column per trained model and measured part of FER-2013."""
    columns = {
        f"{model_title(info)}, {_SPLITS.get(split, split)}": _told(figures)
        for info in models
        if info.trained
        for split, figures in info.metrics.items()
    }
    names = next(iter(columns.values()), {})
    return [
        {"Figure": name, **{title: texts[name] for title, texts in columns.items()}}
        for name in names
    ]


def _told(figures: Mapping[str, Any]) -> dict[str, str]:
    sure, fresh = figures.get("certain") or {}, figures.get("deduplicated") or {}
    return {
        "Faces": f"{figures['n']:,}" if "n" in figures else _ABSENT,
        "Right": _format_share(figures, "accuracy"),
        "Right, near-copies left out": _format_share(fresh, "accuracy"),
        "Average over emotions": _format_share(figures, "balanced_accuracy"),
        "Calibration error": _format_share(figures, "ece"),
        "Answered as sure": _format_share(sure, "coverage"),
        "Right when sure": _format_share(sure, "accuracy"),
    }


def _format_share(metrics: Mapping[str, Any], name: str) -> str:
    """Return a share in percent with its interval, as far as they were recorded."""
    return format_metric(metrics, name, scale=100, unit=" %")
