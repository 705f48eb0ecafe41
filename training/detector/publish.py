"""Publishing a trained and tuned detector with its model card, written from what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.detectors.tuning import TUNED_NAME
from core.errors import ConfigError
from core.files import atomic_write, write_json
from core.weights import read_detector

from ..learning.export import read_entry, update_detector
from ..reporting.model_card import list_runs
from ..reporting.rendering import render_text
from .recipe import NAME


def publish_detector(source: Path, destination: Path) -> None:
    """Copy our detector's checked weights, manifest entry and tuned thresholds; write its card.

    ConfigError if it was not tuned, because it would then have another detector's thresholds.
    """
    stored = read_detector(NAME, source)
    tuned = source / TUNED_NAME
    measured = json.loads(tuned.read_text(encoding="utf-8")) if tuned.exists() else {}
    if NAME not in measured.get("detectors", {}):
        raise ConfigError(
            f"The detector in '{source}' was not tuned.",
            hint=f"Run `emotion detector tune --detector {NAME} --weights {source} …` first.",
        )
    if source.resolve() != destination.resolve():
        atomic_write(destination / stored.file.name, stored.read_verified())
        update_detector(destination, NAME, read_entry(source, NAME, "detectors"))
        file = destination / TUNED_NAME
        document: dict[str, Any] = {"schema_version": measured["schema_version"], "detectors": {}}
        if file.exists():
            document = json.loads(file.read_text(encoding="utf-8"))
        document["detectors"][NAME] = measured["detectors"][NAME]
        write_json(file, document, indent=1)
    atomic_write(destination / f"{NAME}.md", format_detector_card(destination).encode())


def format_detector_card(directory: Path) -> str:
    """Return the card of the weights in ``directory``, which must be tuned."""
    tuned = json.loads((directory / TUNED_NAME).read_text(encoding="utf-8"))
    stored = read_detector(NAME, directory)
    return render_text(
        "detector_card.md.j2",
        name=NAME,
        stored=stored,
        presets=tuned["detectors"][NAME],
        runs=list_runs(stored.training),
    )
