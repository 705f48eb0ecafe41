"""Probabilities as text: "98 %"."""

from __future__ import annotations


def format_probability(probability: float) -> str:
    """Return a probability as a person reads it; 0 % and 100 % only if it is exactly that."""
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{probability:.0%}".replace("%", " %")
