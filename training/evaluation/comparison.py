"""The models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.catalog import ModelInfo

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
_PACES = (("ms_per_face", "ms for one face"), ("faces_per_s", "faces a second"))


def comparison_rows(models: Sequence[ModelInfo]) -> list[tuple[str, ...]]:
    """Per figure its name and one text for each model, intervals in brackets.

    The figures are those on the validation faces; what nobody measured is a dash, and a figure
    that no model has is left out.
    """
    told: list[Mapping[str, Any]] = [each.metrics.get("validation", {}) for each in models]
    rows: list[tuple[str, ...]] = []
    for part, figures in (("", _SHARES), ("certain", _CERTAIN), ("deduplicated", _FRESH)):
        given = [(each.get(part) or {}) if part else each for each in told]
        rows += [(label, *(_share(each, key) for each in given)) for key, label in figures]
    rows.append(("parameters, millions", *(_number(each.parameters, 1e-6) for each in models)))
    rows.append(("file, MB", *(_number(each.megabytes) for each in models)))
    engines = [each.speed.get("engines", {}) for each in models]
    for way in dict.fromkeys(name for each in engines for name in each):
        for key, label in _PACES:
            cells = (_number(each.get(way, {}).get(key)) for each in engines)
            rows.append((f"{label}, {way}", *cells))
    rows.append(("photos a second", *(_number(each.speed.get("photos_per_s")) for each in models)))
    return [row for row in rows if any(cell != ABSENT for cell in row[1:])]


def comparison_table(models: Sequence[ModelInfo]) -> str:
    """:func:`comparison_rows` as a Markdown table, one column per model."""
    lines = ["| | " + " | ".join(each.name for each in models) + " |"]
    lines.append("|---" * (len(models) + 1) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in comparison_rows(models)]
    return "\n".join(lines) + "\n"


def _share(figures: Mapping[str, Any], name: str) -> str:
    if figures.get(name) is None:
        return ABSENT
    text = f"{100 * figures[name]:.1f}"
    span = figures.get(f"{name}_interval")
    return f"{text} ({100 * span[0]:.1f} to {100 * span[1]:.1f})" if span else text


def _number(value: float | None, factor: float = 1.0) -> str:
    return ABSENT if value is None else f"{factor * value:.1f}"
