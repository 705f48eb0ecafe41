"""Probabilities as text."""

from __future__ import annotations

import pytest

from core import format_probability


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "< 1 %"),
        (0.01, "1 %"),
        (0.754, "75 %"),
        (0.99, "99 %"),
        (0.9996, "> 99 %"),
        (1.0, "100 %"),
    ],
)
def test_only_a_certain_answer_reads_as_0_or_100_percent(probability, text):
    assert format_probability(probability) == text
