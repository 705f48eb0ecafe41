"""The model card of our own detector, written from what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from core.detectors.tuning import TUNED_NAME
from core.files import atomic_write
from core.weights import read_detector

from ..reporting.model_card import list_runs
from ..reporting.rendering import render_text
from .recipe import NAME


def write_detector_card(directory: Path) -> Path:
    """Write ``compact.md`` beside the weights, which must be tuned; return its path."""
    file = directory / f"{NAME}.md"
    atomic_write(file, format_detector_card(directory).encode())
    return file


def format_detector_card(directory: Path) -> str:
    """Return the card of the weights in ``directory``."""
    tuned = json.loads((directory / TUNED_NAME).read_text(encoding="utf-8"))
    stored = read_detector(NAME, directory)
    return render_text(
        "detector_card.md.j2",
        name=NAME,
        stored=stored,
        presets=tuned["detectors"][NAME],
        runs=list_runs(stored.training),
    )
