"""The card of our own detector matches its artefacts."""

from __future__ import annotations

from core.weights import SHIPPED_DIR
from training.detector.publish import format_detector_card


def test_shipped_card_is_what_the_command_writes():
    committed = (SHIPPED_DIR / "compact.md").read_text(encoding="utf-8")
    refresh = "run: emotion detector tune --detector compact … --publish weights"
    assert committed == format_detector_card(SHIPPED_DIR), refresh
