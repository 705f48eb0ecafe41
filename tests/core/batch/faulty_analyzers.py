"""Analyzers for worker processes that are quick, or that fail in every way a process can.

They find one face in every image and load as little as possible.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from core import AnalyzerConfig, Box, Face, ProjectError
from core.calibration import Calibration
from core.classifiers.model import EmotionModel
from core.pipeline import Analyzer
from tests.core.batch.batch_parts import kill_self
from tests.core.pipeline_parts import BrightnessClassifier, FixedDetector, FixedLandmarks

MARK = "BATCH_TEST_MARK"
"""Environment variable: the file that exists once once.png has killed a worker, or held.png may be
read."""


class QuickAnalyzer(Analyzer):
    """Finds the same face everywhere; the brightness decides its emotion."""

    def __init__(self, config: AnalyzerConfig) -> None:
        super().__init__(
            config,
            detector=FixedDetector(Face(Box(20.0, 20.0, 60.0, 60.0), 0.9)),
            landmarks=FixedLandmarks(),
            model=EmotionModel.from_single_classifier(
                "mobilenet_v2", BrightnessClassifier(), Calibration(certain_from=0.5)
            ),
        )


class CrashingAnalyzer(QuickAnalyzer):
    """Kills its process at fatal.png, at once.png only the first time; hangs at hang.png."""

    def prepare(self, image):
        if image.name == "fatal.png":
            kill_self()
        if image.name == "once.png" and not (mark := Path(os.environ[MARK])).exists():
            mark.touch()
            kill_self()
        if image.name == "hang.png":
            time.sleep(3600)
        return super().prepare(image)


class SlowAnalyzer(QuickAnalyzer):
    """Is slow enough that a run can be stopped halfway."""

    def prepare(self, image):
        time.sleep(0.05)
        return super().prepare(image)


class HeldAnalyzer(QuickAnalyzer):
    """Waits at held.png until the file of MARK exists."""

    def prepare(self, image):
        while image.name == "held.png" and not Path(os.environ[MARK]).exists():
            time.sleep(0.02)
        return super().prepare(image)


def raise_error(_config: AnalyzerConfig) -> Analyzer:
    """Raise the error of missing weights instead of returning an analyzer."""
    raise ProjectError("The weights are absent.", hint="Train them.")


def crash(_config: AnalyzerConfig) -> Analyzer:
    """Kill the process instead of returning an analyzer."""
    kill_self()
    raise AssertionError
