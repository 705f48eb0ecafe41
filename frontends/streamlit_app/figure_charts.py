"""A model's measured figures as Vega-Lite charts, in the colours of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import EMOTIONS
from frontends.wording import format_emotion

_COLOURS = ("#d55e00", "#3a8fd6")
"""Distinct on light and dark, also for people who see no red."""
_GREY = "#8a8f98"


def reliability_chart(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """Return how true the percentages of answers are.

    ``curves`` gives each reading groups of answers with a mean ``confidence`` and the part that was
    right, ``accuracy``. On the diagonal, both are the same.
    """
    rows = [
        {
            "reading": reading,
            "given": 100 * group["confidence"],
            "right": 100 * group["accuracy"],
            "faces": group["n"],
        }
        for reading, groups in curves.items()
        for group in groups
    ]
    x = {"field": "given", "type": "quantitative", "title": "% that the answer gives"}
    y = {"field": "right", "type": "quantitative", "title": "% that was right"}
    for axis in (x, y):
        axis["scale"] = {"domain": [0, 100]}
    reading = {"field": "reading", "type": "nominal", "title": None, "sort": list(curves)}
    scale = {"domain": list(curves), "range": list(_COLOURS[: len(curves)])}
    coloured = {**reading, "scale": scale, "legend": {"orient": "bottom"}}
    hints = [x, y, {"field": "faces", "type": "quantitative"}, reading]
    diagonal = {
        "data": {"values": [{"given": end, "right": end} for end in (0, 100)]},
        "mark": {"type": "line", "color": _GREY, "strokeDash": [4, 4]},
        "encoding": {"x": x, "y": y},
    }
    lines = {
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 50}},
        "encoding": {"x": x, "y": y, "color": coloured, "tooltip": hints},
    }
    words = "; ".join(
        f"{name}: {groups[0]['accuracy']:.0%} right where the answer gives "
        f"{groups[0]['confidence']:.0%}, {groups[-1]['accuracy']:.0%} where it gives "
        f"{groups[-1]['confidence']:.0%}"
        for name, groups in curves.items()
    )
    return {"description": f"How true the percentages are. {words}.", "layer": [diagonal, lines]}


def confusion_chart(matrix: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return the share of each label's faces (rows) that got each answer (columns)."""
    names = [format_emotion(emotion) for emotion in EMOTIONS]
    rows = [
        {
            "label": label,
            "answer": answer,
            "share": round(100 * faces / max(1, sum(line))),
            "faces": faces,
        }
        for label, line in zip(names, matrix, strict=True)
        for answer, faces in zip(names, line, strict=True)
    ]
    share = {"field": "share", "type": "quantitative"}
    colour = {**share, "title": "%", "legend": None, "scale": {"scheme": "blues"}}
    dark = {"condition": {"test": "datum.share > 55", "value": "white"}, "value": "black"}
    hints: list[dict[str, Any]] = [
        {"field": "label", "title": "Label"},
        {"field": "answer", "title": "Answer"},
        {**share, "title": "%"},
        {"field": "faces", "type": "quantitative", "title": "Faces"},
    ]
    places = {
        "x": {
            "field": "answer",
            "sort": names,
            "title": "Answer",
            "axis": {"labelAngle": -45, "labelOverlap": False},
        },
        "y": {"field": "label", "sort": names, "title": "FER-2013's label"},
        "tooltip": hints,
    }
    right = ", ".join(
        f"{row['label']} {row['share']} %" for row in rows if row["label"] == row["answer"]
    )
    return {
        "description": f"Which answers the faces of each label got. The label itself: {right}.",
        "data": {"values": rows},
        "encoding": places,
        "layer": [
            {"mark": "rect", "encoding": {"color": colour}},
            {"mark": "text", "encoding": {"text": share, "color": dark}},
        ],
    }
