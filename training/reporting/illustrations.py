"""The report's figures by name, each drawn where its artefact is there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import charts
from .artefacts import Value
from .diagram import draw_system_diagram

DEFAULT_MODEL = "mobilenet_v2"


def draw_illustrations(artefacts: Mapping[str, Value]) -> dict[str, str]:
    """Every figure that the artefacts allow, as SVG by its name.

    Each tells in its first comment what it was drawn from, so that a stale one can be found
    although drawing libraries differ in detail.
    """
    drawn = {"system": draw_system_diagram()}
    for artefact, draw in _DRAWN_FROM.items():
        if artefact in artefacts:
            raw = artefacts[artefact].raw
            with charts.use_print_style():
                pictures = draw(raw)
            drawn |= {name: add_source_digest(picture, raw) for name, picture in pictures.items()}
    return drawn


def add_source_digest(picture: str, report: object) -> str:
    """``picture`` with the digest of what it was drawn from."""
    digest = hashlib.sha256(repr(report).encode()).hexdigest()[:16]
    return re.sub(r"(<svg\b)", rf"<!-- drawn from {digest} -->\n\1", picture, count=1)


def _metrics(report: Mapping[str, Any]) -> dict[str, str]:
    models = report["models"]
    curves = {
        name: [
            (100 * share, 100 * right)
            for share, right in zip(
                each["risk_coverage"]["coverage"], each["risk_coverage"]["accuracy"], strict=True
            )
        ]
        for name, each in models.items()
    }
    shown = DEFAULT_MODEL if DEFAULT_MODEL in models else next(iter(models))
    return {
        "accuracy": charts.plot_accuracy(models),
        "emotions": charts.plot_recalls(models),
        "confusion": charts.confusion_chart(models[shown]["confusion_matrix"]),
        "reliability": charts.reliability_chart(models),
        "doubt": charts.plot_lines(
            curves,
            across="answered: the most certain faces, %",
            upwards="right among them, %",
            marks=False,
        ),
    }


def _frame(report: Mapping[str, Any]) -> dict[str, str]:
    scales = report["scale"]["scales"]
    given = 100 * report["scale"]["as_given"]["accuracy"]
    line = [(row["scale"], 100 * row["accuracy"]) for row in scales]
    return {
        "frame": charts.plot_lines(
            {"framed by its landmarks": line},
            across="size of the face in the frame (1 is the median training face)",
            upwards="right, %",
            level=(given, "as the data set gives it"),
        )
    }


def _landmarks(report: Mapping[str, Any]) -> dict[str, str]:
    rows: dict[str, dict[str, list[charts.Point]]] = {}
    for name, model in report["models"].items():
        start = _point(0.0, model["aligned"])
        for kind, noisy in model["noise"].items():
            curve = [start, *(_point(100 * row["error"], row) for row in noisy)]
            rows.setdefault(kind, {})[name] = curve
    picture = charts.plot_grid(
        rows,
        across="landmarks misplaced by, % of the distance between the eyes",
        upwards="right, % (bands: 95 % intervals)",
    )
    return {"landmarks": picture}


def _robustness(report: Mapping[str, Any]) -> dict[str, str]:
    rows: dict[str, dict[str, list[charts.Point]]] = {}
    for name, model in report["models"].items():
        for kind, worse in model["curves"].items():
            rows.setdefault(kind, {})[name] = [_point(row["level"], row) for row in worse]
    picture = charts.plot_grid(rows, across="level", upwards="right, % (bands: 95 % intervals)")
    return {"robustness": picture}


def _point(across: float, row: Mapping[str, Any]) -> charts.Point:
    low, high = row["accuracy_interval"]
    return across, 100 * row["accuracy"], 100 * low, 100 * high


def _detection(report: Mapping[str, Any]) -> dict[str, str]:
    curves = {}
    for name, presets in report["detectors"].items():
        for preset, measured in presets.items():
            shares = zip(measured["curve"]["recall"], measured["curve"]["precision"], strict=True)
            curves[f"{name}, {preset}"] = [(100 * found, 100 * right) for found, right in shares]
    picture = charts.plot_lines(curves, across="recall, %", upwards="precision, %", marks=False)
    return {"detection": picture}


_DRAWN_FROM: Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    "metrics_publictest": _metrics,
    "frame": _frame,
    "landmarks": _landmarks,
    "robustness": _robustness,
    "detection": _detection,
}
