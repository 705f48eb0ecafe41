"""Curves as Vega-Lite charts, with a description for people who cannot see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Distinct on light and dark, also for people who see no red; dashes repeat it.
_COLOURS = ("#d55e00", "#3a8fd6", "#8a8f98")
_GREY = _COLOURS[-1]
_MOST_POINTS = 20
"""Up to this many rows are also drawn as points with a tooltip."""


def curves_chart(
    rows: Sequence[Mapping[str, float]],
    names: Sequence[str],
    *,
    over: str,
    title: str,
    at: float,
    band: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return a curve in percent for each of ``names`` over ``over``, and a line at ``at``.

    ``band`` names the columns of the lower and upper bound of the first curve.
    """
    x = {"field": over, "type": "quantitative", "title": title}
    y = {"type": "quantitative", "title": "%", "scale": {"domain": [0, 100]}}
    figure = {"field": "figure", "type": "nominal", "title": None, "sort": list(names)}
    fold = [{"fold": list(names), "as": ["figure", "share"]}]
    places = {"x": x, "y": {"field": "share", **y}}
    scale = {"domain": list(names), "range": list(_COLOURS[: len(names)])}
    lines = {
        **places,
        "color": {**figure, "scale": scale, "legend": {"orient": "bottom"}},
        "strokeDash": figure,
    }
    layers: list[dict[str, Any]] = [{"transform": fold, "mark": "line", "encoding": lines}]
    if len(rows) <= _MOST_POINTS:
        points = {
            **places,
            # Not "color", whose legend would show a dot beside each line.
            "fill": {**figure, "scale": scale, "legend": None},
            "tooltip": [x, figure, {"field": "share", "type": "quantitative", "title": "%"}],
        }
        layers.append(
            {"transform": fold, "mark": {"type": "circle", "size": 50}, "encoding": points}
        )
    if band is not None:
        low, high = band
        mark = {"type": "area", "color": _COLOURS[0], "opacity": 0.3}
        within = {"x": x, "y": {"field": low, **y}, "y2": {"field": high}}
        layers.insert(0, {"mark": mark, "encoding": within})
    rule = {"type": "rule", "color": _GREY, "strokeWidth": 2}
    return {
        "description": _describe(rows, names, over, title),
        "layer": [
            *({**layer, "data": {"values": list(rows)}} for layer in layers),
            {"data": {"values": [{over: at}]}, "mark": rule, "encoding": {"x": x}},
        ],
    }


def _describe(
    rows: Sequence[Mapping[str, float]], names: Sequence[str], over: str, title: str
) -> str:
    first, last = rows[0], rows[-1]
    ends = f"from {first[over]:g} to {last[over]:g}"
    curves = (f"{name} from {first[name]:.0f} % to {last[name]:.0f} %" for name in names)
    return f"Curves over {title}, {ends}: {', '.join(curves)}."
