"""The cards of our own detectors match their artefacts."""

from __future__ import annotations

import pytest

from core.weights import SHIPPED_DIR
from training.detector.publish import format_detector_card


@pytest.mark.parametrize(("name", "detector"), [("compact", "compact"), ("judge", "hybrid")])
def test_shipped_card_is_what_the_command_writes(name, detector):
    committed = (SHIPPED_DIR / f"{name}.md").read_text(encoding="utf-8")
    refresh = f"run: emotion detector tune --detector {detector} … --publish weights"
    assert committed == format_detector_card(SHIPPED_DIR, name), refresh
