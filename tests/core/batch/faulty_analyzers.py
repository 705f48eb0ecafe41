"""Analyzers for worker processes that answer at once, or end in all the ways a process can.

They find one face in every picture, and load as little as will do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from core import AnalyzerConfig, Box, Face, ProjectError
from core.calibration import Calibration
from core.pipeline import Analyzer, EmotionModel
from tests.core.batch.batch_parts import kill_self
from tests.core.pipeline_parts import BrightnessClassifier, FixedDetector, FixedLandmarks

MARK = "BATCH_TEST_MARK"
"""Names the file that tells whether once.png has ended a worker already."""


class QuickAnalyzer(Analyzer):
    """Always the same face, answered by its brightness."""

    def __init__(self, config: AnalyzerConfig) -> None:
        super().__init__(
            config,
            detector=FixedDetector(Face(Box(20.0, 20.0, 60.0, 60.0), 0.9)),
            landmarks=FixedLandmarks(),
            model=EmotionModel(BrightnessClassifier(), Calibration(certain_from=0.5)),
        )


class FatalAnalyzer(QuickAnalyzer):
    """Ends its process at fatal.png, at once.png only the first time; hangs at hang.png."""

    def examine(self, image):
        if image.name == "fatal.png":
            kill_self()
        if image.name == "once.png" and not (mark := Path(os.environ[MARK])).exists():
            mark.touch()
            kill_self()
        if image.name == "hang.png":
            time.sleep(3600)
        return super().examine(image)


class SlowAnalyzer(QuickAnalyzer):
    """Takes its time, so that a run can be ended in its middle."""

    def examine(self, image):
        time.sleep(0.05)
        return super().examine(image)


def refused(_config: AnalyzerConfig) -> Analyzer:
    """No analyzer: the weights are missing."""
    raise ProjectError("The weights are absent.", hint="Train them.")


def fatal(_config: AnalyzerConfig) -> Analyzer:
    """No analyzer: the process ends."""
    kill_self()
    raise AssertionError
