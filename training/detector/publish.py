"""Publishing trained and tuned detectors with their model cards, written from what was measured."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from core.detectors.hybrid import JUDGE
from core.detectors.tuning import TUNED_NAME, read_tuned
from core.errors import ConfigError
from core.files import atomic_write, write_json
from core.weights import find_detector, read_detector, read_detectors

from ..learning.export import read_entry, update_detector
from ..reporting.model_card import list_runs
from ..reporting.rendering import render_text
from .recipe import NAME

_TUNED_AS = {NAME: NAME, JUDGE: "hybrid"}
"""The detector whose thresholds belong to each of our networks."""
_CARDS = {NAME: "detector_card.md.j2", JUDGE: "judge_card.md.j2"}


def publish_detector(source: Path, destination: Path) -> None:
    """Copy the checked weights, manifest entries and tuned thresholds of ``source``; write cards.

    ConfigError if a network there was not tuned, because it would then have the thresholds of
    another.
    """
    networks = read_detectors(source) or {NAME: read_detector(NAME, source)}
    tuned = source / TUNED_NAME
    measured = read_tuned(tuned) if tuned.exists() else {}
    for name, stored in networks.items():
        if _TUNED_AS[name] not in measured.get("detectors", {}):
            raise ConfigError(
                f"The detector in '{source}' was not tuned.",
                hint=f"Run `emotion detector tune --detector {_TUNED_AS[name]} "
                f"--weights {source} …` first.",
            )
        if os.path.realpath(source) != os.path.realpath(destination):
            atomic_write(destination / stored.file.name, stored.read_verified())
            update_detector(destination, name, read_entry(source, name, "detectors"))
    if os.path.realpath(source) != os.path.realpath(destination):
        file = destination / TUNED_NAME
        document: dict[str, Any] = {"schema_version": measured["schema_version"], "detectors": {}}
        if file.exists():
            document = read_tuned(file)
        document["detectors"].update(measured["detectors"])
        write_json(file, document, indent=1)
    for name in networks:
        atomic_write(destination / f"{name}.md", format_detector_card(destination, name).encode())


def format_detector_card(directory: Path, name: str = NAME) -> str:
    """Return the card of one network in ``directory``, whose detector must be tuned."""
    tuned = read_tuned(directory / TUNED_NAME)
    stored = find_detector(name, directory)
    return render_text(
        _CARDS[name],
        name=name,
        stored=stored,
        presets=tuned["detectors"][_TUNED_AS[name]],
        runs=list_runs(stored.training),
    )
