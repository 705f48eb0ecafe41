"""The measured figures of the models, as tables, and their curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core import ModelInfo, format_metric

from .wording import model_title

Row = dict[str, str]

_SPLITS = {"validation": "", "test": ", PrivateTest"}
"""What a column's heading adds; :data:`FIGURES_HELP` names the usual part once."""

FIGURES_HELP = (
    "Measured on the validation part (PublicTest) of FER-2013, a public collection of small grey "
    "pictures of faces. No network learned from that part. The brackets hold 95 % confidence "
    "intervals."
)
_PEOPLE_HELP = (
    "About ten people said what they saw in each face. The answer agrees with most people if it is "
    "the emotion that most of them named."
)
_LABEL_HELP = (
    "Each face has one label, which often differs from what most people see. Papers count an "
    "answer as right if it is the label. The calibration error is how far, on average, a "
    "probability is from the share of answers that were right."
)

_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_CURVES = {
    "pareto.png": "Accuracy against time: higher and further left is better.",
    "risk_coverage.png": "How many answers are right if only the surest are given: higher is "
    "better.",
}

_format_share = partial(format_metric, scale=100, unit=" %")


@dataclass(frozen=True, slots=True)
class FiguresTable:
    """What was measured of the models in one reading."""

    title: str
    text: str
    """What the figures mean."""
    rows: list[Row]
    """A row per figure, with a column per trained model and measured part of FER-2013."""


def curves() -> list[tuple[Path, str]]:
    """Return the pictures that compare the models and exist, each with what it shows."""
    return [(_IMAGES / name, text) for name, text in _CURVES.items() if (_IMAGES / name).exists()]


def list_tables(models: Sequence[ModelInfo]) -> Iterator[FiguresTable]:
    """Yield the table of each reading that was measured."""
    for title, text, format_figures in (
        ("What people would see", _PEOPLE_HELP, _format_people),
        ("FER-2013's label", _LABEL_HELP, _format_label),
    ):
        if rows := _make_rows(models, format_figures):
            yield FiguresTable(title, text, rows)


def _make_rows(
    models: Sequence[ModelInfo], format_figures: Callable[[Mapping[str, Any]], Row]
) -> list[Row]:
    columns = {
        f"{model_title(info)}{suffix}": format_figures(info.metrics[split])
        for info in models
        if info.trained
        for split, suffix in _SPLITS.items()
        if split in info.metrics
    }
    # The first column has the figures in order; a figure that nobody has is left out.
    names = dict.fromkeys(name for texts in columns.values() for name in texts)
    return [
        {"Figure": name, **{title: texts.get(name, "–") for title, texts in columns.items()}}
        for name in names
    ]


def _format_people(metrics: Mapping[str, Any]) -> Row:
    people = metrics.get("people")
    if not people:
        return {}
    sure = people.get("certain") or {}
    return {
        "Faces": _format_count(people),
        "Agrees with most people": _format_share(people, "agreement"),
        "People who agree with the answer": _format_share(people, "voters"),
        "Average error of the shares": _format_share(people, "share_error"),
        'Answers given (not "not sure")': _format_share(sure, "coverage"),
        "Agrees with most people, among the answers given": _format_share(sure, "accuracy"),
    }


def _format_label(metrics: Mapping[str, Any]) -> Row:
    sure, fresh = metrics.get("certain") or {}, metrics.get("deduplicated") or {}
    return {
        "Faces": _format_count(metrics),
        "Right answers": _format_share(metrics, "accuracy"),
        "Right, near-copies left out": _format_share(fresh, "accuracy"),
        "Right, every emotion counted equally": _format_share(metrics, "balanced_accuracy"),
        "Calibration error": _format_share(metrics, "ece"),
        'Answers given (not "not sure")': _format_share(sure, "coverage"),
        "Right among the answers given": _format_share(sure, "accuracy"),
    }


def _format_count(metrics: Mapping[str, Any]) -> str:
    return f"{metrics['n']:,}" if "n" in metrics else "–"
