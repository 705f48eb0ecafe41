"""The committed artefacts, from which the report is written."""

from __future__ import annotations

import json

import pytest

from core.faces.alignment import CROP_PX
from core.reading.limits import MAX_FILE_BYTES, MAX_PIXELS
from training.reporting.artefacts import read_artefacts


@pytest.fixture(scope="module")
def artefacts(root):
    return read_artefacts(root / "docs" / "results", root / "weights")


@pytest.fixture(scope="module")
def results(root):
    """The content of the artefacts, read without the report's own code."""
    files = {path.stem: path for path in (root / "docs" / "results").glob("*.json")}
    files["manifest"] = root / "weights" / "manifest.json"
    files["detection"] = root / "weights" / "detection.json"
    found = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in files.items()
        if path.exists()
    }
    constants = {"crop_px": CROP_PX, "max_bytes": MAX_FILE_BYTES, "max_pixels": MAX_PIXELS}
    return {**found, "constants": constants}
