"""The models side by side, and every two of them against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from core.catalog import ModelInfo
from core.output.intervals import format_metric, format_with_interval

_PEOPLE = (
    ("", "agreement", "agrees with most people, %", 100, ".1f"),
    ("", "voters", "of ten people who agree", 10, ".1f"),
    ("", "share_error", "error of the shares, %", 100, ".1f"),
    ("", "kl", "KL to the votes, nats", 1, ".3f"),
    ("certain", "coverage", "certain answers, %", 100, ".1f"),
    ("certain", "accuracy", "agree with most people among them, %", 100, ".1f"),
)
"""Part of the figures of people, figure in it, how the table calls it, scale, and format."""
_LABEL = (
    ("", "accuracy", "label: accuracy, %"),
    ("", "balanced_accuracy", "label: balanced accuracy, %"),
    ("", "macro_f1", "label: macro-F1, %"),
    ("", "ece", "label: calibration error, %"),
    ("", "ece_uncalibrated", "label: before calibration, %"),
    ("certain", "coverage", "label: certain answers, %"),
    ("certain", "accuracy", "label: right among them, %"),
    ("deduplicated", "accuracy", "label: accuracy without near-copies, %"),
    ("deduplicated", "macro_f1", "label: macro-F1 without them, %"),
)
"""Part of the metrics, figure in it, and how the table calls it."""
_PAIRED = ("label accuracy compared", "difference in points", "McNemar p")
_PACES = (("ms_per_face", "ms for one face"), ("faces_per_s", "faces a second"))


def build_comparison_rows(models: Sequence[ModelInfo]) -> list[tuple[str, ...]]:
    """Return for each figure its name and one text for each model, intervals in brackets.

    The figures are those on the validation faces, first of what people would see, then of
    FER-2013's label. A figure that was not measured is a dash, and one that no model has is left
    out.
    """
    rows: list[tuple[str, ...]] = []

    def add_row(
        label: str,
        figures: Sequence[Mapping[str, Any]],
        key: str,
        scale: float,
        spec: str = ".1f",
    ) -> None:
        if any(each.get(key) is not None for each in figures):
            texts = (format_metric(each, key, spec, scale=scale) for each in figures)
            rows.append((label, *texts))

    metrics = [each.metrics.get("validation", {}) for each in models]
    people = [each.get("people") or {} for each in metrics]
    for part, key, label, scale, spec in _PEOPLE:
        add_row(label, _pick(people, part), key, scale, spec)
    for part, key, label in _LABEL:
        add_row(label, _pick(metrics, part), key, 100)
    sizes = [{"parameters": each.parameters, "megabytes": each.megabytes} for each in models]
    add_row("parameters, millions", sizes, "parameters", 1e-6)
    add_row("file, MB", sizes, "megabytes", 1)
    engines = [each.speed.get("engines", {}) for each in models]
    for engine in dict.fromkeys(name for each in engines for name in each):
        for key, label in _PACES:
            add_row(f"{label}, {engine}", [each.get(engine, {}) for each in engines], key, 1)
    add_row("photos a second", [each.speed for each in models], "photos_per_s", 1)
    return rows


def _pick(metrics: Sequence[Mapping[str, Any]], part: str) -> list[Mapping[str, Any]]:
    """Return a part of each; the whole if it is unnamed."""
    return [each.get(part) or {} if part else each for each in metrics]


def build_pair_rows(models: Sequence[ModelInfo]) -> list[tuple[str, ...]]:
    """Return for each two models their names, how much more often the first is right, McNemar's p.

    Right is FER-2013's label. Measured on the same validation faces, with the paired interval in
    brackets. The first row has the headings; there are no rows at all if no two models were
    measured together.
    """
    metrics = {each.name: each.metrics.get("validation", {}).get("against", {}) for each in models}
    rows: list[tuple[str, ...]] = []
    for first, second in combinations(metrics, 2):
        # If one of them was trained or measured again since, only the other has the comparison.
        if second in metrics[first] and first in metrics[second]:
            pair = metrics[first][second]
            difference, p = pair["accuracy"], pair["mcnemar_p"]
            gap = format_with_interval(
                difference["value"], difference["interval"], "+.1f", scale=100
            )
            rows.append((f"{first} against {second}", gap, "< 0.001" if p < 0.001 else f"{p:.2g}"))
    return [_PAIRED, *rows] if rows else []


def format_comparison_table(models: Sequence[ModelInfo]) -> str:
    """Return :func:`build_comparison_rows` and :func:`build_pair_rows` as Markdown tables."""
    tables = [
        [("", *(each.name for each in models)), *build_comparison_rows(models)],
        build_pair_rows(models),
    ]
    return "\n".join(_format_markdown(rows) for rows in tables if rows)


def _format_markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table whose first row has the headings."""
    lines = ["|".join(("", *(f" {cell} " if cell else " " for cell in row), "")) for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    return "\n".join(lines) + "\n"
