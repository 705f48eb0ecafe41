"""The measured figures of the models, as tables, and their curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core import ModelInfo, format_metric

from .cards import load_template
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
    'the emotion that was named most often. Where "not sure" begins was chosen so that nine in ten '
    "of the answers given agree; compare how many answers each model gives."
)
_LABEL_HELP = (
    "Each face has one label, which often differs from what most people see. Papers count an "
    "answer as right if it is the label. The calibration error is how far, on average, a "
    "probability is from the share of answers that were right."
)

# Distinct on light and dark grounds.
_COLOURS = ("#3a8fd6", "#d55e00", "#009e73", "#cc79a7")

_format_share = partial(format_metric, scale=100, unit=" %")


@dataclass(frozen=True, slots=True)
class FiguresTable:
    """What was measured of the models in one reading."""

    title: str
    text: str
    """What the figures mean."""
    rows: list[Row]
    """A row per figure, with a column per trained model and measured part of FER-2013."""


def chart_html(models: Sequence[ModelInfo]) -> str:
    """Return a chart of agreement against time in the page's own colours; no figures, no text."""
    measured = [
        (model_title(info), info.speed["engines"]["openvino"]["ms_per_face"], people)
        for info in models
        if (people := _find_people(info)) and info.speed.get("engines", {}).get("openvino")
    ]
    if len(measured) < 2:
        return ""
    longest_ms = max(ms for _, ms, _ in measured)
    edges = [edge for *_, people in measured for edge in people["agreement_interval"]]
    low, high = math.floor(100 * min(edges)), math.ceil(100 * max(edges))
    step_ms = _choose_step(longest_ms)

    def place_x(ms: float) -> float:
        return round(100 * ms / (1.1 * longest_ms), 1)

    def place_y(share: float) -> float:
        return round(100 * (100 * share - low) / (high - low), 1)

    points = [
        {
            "title": title,
            "x": place_x(ms),
            "y": place_y(people["agreement"]),
            "low": place_y(people["agreement_interval"][0]),
            "high": place_y(people["agreement_interval"][1]),
        }
        for title, ms, people in measured
    ]
    label = ". ".join(
        f"{title}: {100 * people['agreement']:.0f} of 100 faces, {ms:.0f} ms"
        for title, ms, people in measured
    )
    ticks_x = [(place_x(ms), str(ms)) for ms in range(0, math.ceil(1.1 * longest_ms), step_ms)]
    ticks_y = [(place_y(percent / 100), str(percent)) for percent in range(low, high + 1)]
    template = load_template("figures.html.j2")
    return str(template.pareto(points, _COLOURS, ticks_x, ticks_y, label))


def explain_ensemble(models: Sequence[ModelInfo]) -> str:
    """Return what the ensemble costs and gains, compared with the fastest network; or nothing."""
    measured = {
        info.name: (info, info.speed["engines"]["openvino"]["ms_per_face"], people["agreement"])
        for info in models
        if (people := _find_people(info)) and info.speed.get("engines", {}).get("openvino")
    }
    ensemble = measured.pop("ensemble", None)
    if ensemble is None or not measured:
        return ""
    fastest, ms, agreement = min(measured.values(), key=lambda each: each[1])
    _, ensemble_ms, ensemble_agreement = ensemble
    return (
        f"{model_title(ensemble[0])} asks every network and averages their answers. A face takes "
        f"about {ensemble_ms / ms:.0f} times as long as with {model_title(fastest)}. "
        f"It agrees with most people on {100 * ensemble_agreement:.0f} of 100 test faces, "
        f"{model_title(fastest)} on {100 * agreement:.0f}."
    )


def _find_people(info: ModelInfo) -> Mapping[str, Any]:
    return info.metrics.get("validation", {}).get("people") or {}


def _choose_step(longest: float) -> int:
    """Return a round step that divides an axis into ten parts at most."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10_000) if longest < 9 * step)


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
