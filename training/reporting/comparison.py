"""The models side by side, and every two of them against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from core.catalog import ModelInfo
from core.output.intervals import format_metric, format_with_interval

ABSENT = "–"
_SHARES = (
    ("accuracy", "accuracy, %"),
    ("balanced_accuracy", "balanced accuracy, %"),
    ("macro_f1", "macro-F1, %"),
    ("ece", "calibration error, %"),
    ("ece_uncalibrated", "before calibration, %"),
)
_CERTAIN = (("coverage", "certain answers, %"), ("accuracy", "right among them, %"))
_FRESH = (("accuracy", "accuracy without near-copies, %"), ("macro_f1", "macro-F1 without them, %"))
_PAIRED = ("accuracy compared", "difference in points", "McNemar p")
_PACES = (("ms_per_face", "ms for one face"), ("faces_per_s", "faces a second"))


def build_comparison_rows(models: Sequence[ModelInfo]) -> list[tuple[str, ...]]:
    """Per figure its name and one text for each model, intervals in brackets.

    The figures are those on the validation faces; what nobody measured is a dash, and a figure
    that no model has is left out.
    """
    metrics: list[Mapping[str, Any]] = [each.metrics.get("validation", {}) for each in models]
    rows: list[tuple[str, ...]] = []
    for part, figures in (("", _SHARES), ("certain", _CERTAIN), ("deduplicated", _FRESH)):
        given = [(each.get(part) or {}) if part else each for each in metrics]
        rows += [
            (label, *(format_metric(each, key, scale=100) for each in given))
            for key, label in figures
        ]
    rows.append(
        ("parameters, millions", *(_format_number(each.parameters, 1e-6) for each in models))
    )
    rows.append(("file, MB", *(_format_number(each.megabytes) for each in models)))
    engines = [each.speed.get("engines", {}) for each in models]
    for way in dict.fromkeys(name for each in engines for name in each):
        for key, label in _PACES:
            cells = (_format_number(each.get(way, {}).get(key)) for each in engines)
            rows.append((f"{label}, {way}", *cells))
    rows.append(
        ("photos a second", *(_format_number(each.speed.get("photos_per_s")) for each in models))
    )
    return [row for row in rows if any(cell != ABSENT for cell in row[1:])]


def build_pair_rows(models: Sequence[ModelInfo]) -> list[tuple[str, ...]]:
    """Per two models which, how much more often the first is right, and McNemar's p.

    On the same validation faces, with the paired interval in brackets. The first row has the
    headings; there is none at all where no two models were measured together.
    """
    metrics = {each.name: each.metrics.get("validation", {}).get("against", {}) for each in models}
    rows: list[tuple[str, ...]] = []
    for first, second in combinations(metrics, 2):
        # Where one of them was trained or measured anew since, only the other still tells.
        if second in metrics[first] and first in metrics[second]:
            pair = metrics[first][second]
            difference = pair["accuracy"]["value"], pair["accuracy"]["interval"]
            gap = format_with_interval(*difference, "+.1f", scale=100)
            rows.append((f"{first} against {second}", gap, _format_p(pair["mcnemar_p"])))
    return [_PAIRED, *rows] if rows else []


def format_comparison_table(models: Sequence[ModelInfo]) -> str:
    """:func:`build_comparison_rows` and :func:`build_pair_rows` as Markdown tables."""
    tables = [
        [("", *(each.name for each in models)), *build_comparison_rows(models)],
        build_pair_rows(models),
    ]
    return "\n".join(_markdown(rows) for rows in tables if rows)


def _markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose first row has the headings."""
    lines = ["|".join(("", *(f" {cell} " if cell else " " for cell in row), "")) for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    return "\n".join(lines) + "\n"


def _format_p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _format_number(value: float | None, factor: float = 1.0) -> str:
    return ABSENT if value is None else f"{factor * value:.1f}"
