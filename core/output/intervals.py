"""Numbers as text with their confidence intervals: "70.1 (69.0 to 71.2)"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def format_with_interval(
    value: float,
    interval: Sequence[float] | None,
    spec: str = ".1f",
    *,
    scale: float = 1.0,
    unit: str = "",
) -> str:
    """Return ``scale`` times ``value``, its ``unit`` and, in brackets, its interval if it has one.

    ``spec`` is a format specification of Python, such as ``+.1f``.
    """
    text = f"{scale * value:{spec}}{unit}"
    if not interval:
        return text
    low, high = (scale * bound for bound in interval)
    return f"{text} ({low:{spec}} to {high:{spec}})"


def format_metric(
    metrics: Mapping[str, Any],
    name: str,
    spec: str = ".1f",
    *,
    scale: float = 1.0,
    unit: str = "",
    absent: str = "–",
) -> str:
    """Return the metric ``name`` with its ``<name>_interval``; ``absent`` if it is missing."""
    if metrics.get(name) is None:
        return absent
    interval = metrics.get(f"{name}_interval")
    return format_with_interval(metrics[name], interval, spec, scale=scale, unit=unit)
