"""The measured figures of the models, as rows of a table, and their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core import ModelInfo, format_metric

from .wording import model_title

_SPLITS = {"test": ", PrivateTest", "validation": ""}
"""What a column's heading adds; :data:`FIGURES_HELP` names the usual part once."""

FIGURES_HELP = (
    "Measured on the validation part (PublicTest) of FER-2013, a public collection of small grey "
    "pictures of faces. No network learned from that part. The brackets hold 95 % confidence "
    "intervals. The calibration error is how far, on average, a probability is from the share of "
    "answers that were right."
)

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_CURVES = {
    "pareto.png": "Accuracy against time: higher and further left is better.",
    "risk_coverage.png": "How many answers are right if only the surest are given: higher is "
    "better.",
}


def curves() -> list[tuple[Path, str]]:
    """Return the pictures that compare the models and exist, each with what it shows."""
    return [(_IMAGES / name, text) for name, text in _CURVES.items() if (_IMAGES / name).exists()]


def metric_rows(models: Sequence[ModelInfo]) -> list[dict[str, str]]:
    """Return a row per figure, with a column per trained model and measured part of FER-2013."""
    columns = {
        f"{model_title(info)}{_SPLITS.get(split, f', {split}')}": _format_metrics(figures)
        for info in models
        if info.trained
        for split, figures in info.metrics.items()
    }
    names = next(iter(columns.values()), {})
    return [
        {"Figure": name, **{title: texts[name] for title, texts in columns.items()}}
        for name in names
    ]


def _format_metrics(metrics: Mapping[str, Any]) -> dict[str, str]:
    sure, fresh = metrics.get("certain") or {}, metrics.get("deduplicated") or {}
    share = partial(format_metric, scale=100, unit=" %")
    return {
        "Faces": f"{metrics['n']:,}" if "n" in metrics else "–",
        "Right answers": share(metrics, "accuracy"),
        "Right, near-copies left out": share(fresh, "accuracy"),
        "Right, every emotion counted equally": share(metrics, "balanced_accuracy"),
        "Calibration error": share(metrics, "ece"),
        'Answers given (not "not sure")': share(sure, "coverage"),
        "Right among the answers given": share(sure, "accuracy"),
    }
