"""Predictions as CSV, one row for each model and picture."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from core.labels import EMOTIONS
from core.types import EmotionScores


def format_predictions(
    columns: Sequence[str], rows: Iterable[tuple[Sequence[object], EmotionScores | None]]
) -> str:
    """Return a CSV of ``rows``: values of ``columns``, then the scores; empty cells for None."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow((*columns, "top", "certain", *EMOTIONS))
    for values, scores in rows:
        cells: Sequence[object] = [""] * (2 + len(EMOTIONS))
        if scores is not None:
            shares = (f"{each:.6f}" for each in scores.probabilities)
            cells = scores.top, int(scores.certain), *shares
        writer.writerow((*values, *cells))
    return buffer.getvalue()
