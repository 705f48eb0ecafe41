"""The report's figures by name, each drawn if its artefact exists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl

from . import charts
from .artefacts import Value
from .diagram import draw_system_diagram
from .filters import model_title
from .plots import LABELS_PLOT, SHARES_PLOT, Point, get_accuracy_point

DEFAULT_MODEL = "mobilenet_v2"
_BANDS = "right, % (bands: 95 % intervals)"


def draw_illustrations(artefacts: Mapping[str, Value]) -> dict[str, str]:
    """Return every figure that the artefacts allow, as SVG by its name.

    A comment at its start names what it was drawn from, so that an outdated one can be found
    although drawing libraries differ in detail.
    """
    drawn = {"system": draw_system_diagram()}
    for artefact, draw in _DRAW.items():
        if artefact in artefacts:
            raw = artefacts[artefact].raw
            with mpl.rc_context(charts.PRINT_STYLE):
                pictures = draw(raw)
            drawn |= {name: add_source_digest(picture, raw) for name, picture in pictures.items()}
    return drawn


def add_source_digest(picture: str, report: object) -> str:
    """Return ``picture`` with the digest of what it was drawn from."""
    digest = hashlib.sha256(repr(report).encode()).hexdigest()[:16]
    return re.sub(r"(<svg\b)", rf"<!-- drawn from {digest} -->\n\1", picture, count=1)


def _draw_metrics(report: Mapping[str, Any]) -> dict[str, str]:
    models = _name_by_title(report["models"])
    curves = {
        name: _to_percent(each["risk_coverage"], "coverage", "accuracy")
        for name, each in models.items()
    }
    people = {name: each["people"] for name, each in models.items()}
    default = model_title(DEFAULT_MODEL)
    shown = default if default in models else next(iter(models))
    return {
        "accuracy": charts.plot_accuracy(models),
        "emotions_people": charts.plot_recalls(people),
        "emotions": charts.plot_recalls(models),
        "confusion": charts.plot_confusion(models[shown]["confusion_matrix"]),
        "reliability_people": charts.plot_reliability(people, SHARES_PLOT),
        "reliability": charts.plot_reliability(models, LABELS_PLOT),
        "doubt": charts.plot_lines(
            curves,
            across="answered: the most certain faces, %",
            upwards="right among them, %",
            marks=False,
        ),
    }


def _draw_frame(report: Mapping[str, Any]) -> dict[str, str]:
    rows = report["scale"]["scales"]
    given = 100 * report["scale"]["as_given"]["accuracy"]
    curve = [row["scale"] for row in rows], [100 * row["accuracy"] for row in rows]
    return {
        "frame": charts.plot_lines(
            {"framed by its landmarks": curve},
            across="size of the face in the frame (1 is the median training face)",
            upwards="right, %",
            level=(given, "as the data set gives it"),
        )
    }


def _draw_landmarks(report: Mapping[str, Any]) -> dict[str, str]:
    rows: dict[str, dict[str, list[Point]]] = {}
    for name, model in _name_by_title(report["models"]).items():
        start = get_accuracy_point(0.0, model["aligned"])
        for kind, noisy in model["noise"].items():
            curve = [start, *(get_accuracy_point(100 * row["error"], row) for row in noisy)]
            rows.setdefault(kind, {})[name] = curve
    across = "landmarks misplaced by, % of the distance between the eyes"
    return {"landmarks": charts.plot_grid(rows, across=across, upwards=_BANDS)}


def _draw_robustness(report: Mapping[str, Any]) -> dict[str, str]:
    rows: dict[str, dict[str, list[Point]]] = {}
    for name, model in _name_by_title(report["models"]).items():
        for kind, worse in model["curves"].items():
            rows.setdefault(kind, {})[name] = [
                get_accuracy_point(row["level"], row) for row in worse
            ]
    return {"robustness": charts.plot_grid(rows, across="level", upwards=_BANDS)}


def _draw_detection(report: Mapping[str, Any]) -> dict[str, str]:
    curves = {
        f"{name}, {preset}": _to_percent(measured["curve"], "recall", "precision")
        for name, presets in report["detectors"].items()
        for preset, measured in presets.items()
    }
    picture = charts.plot_lines(curves, across="recall, %", upwards="precision, %", marks=False)
    return {"detection": picture}


def _name_by_title(models: Mapping[str, Any]) -> dict[str, Any]:
    return {model_title(name): each for name, each in models.items()}


def _to_percent(
    curve: Mapping[str, Sequence[float]], across: str, upwards: str
) -> tuple[list[float], list[float]]:
    return [100 * each for each in curve[across]], [100 * each for each in curve[upwards]]


_DRAW: Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    "metrics_publictest": _draw_metrics,
    "frame": _draw_frame,
    "landmarks": _draw_landmarks,
    "robustness": _draw_robustness,
    "detection": _draw_detection,
}
