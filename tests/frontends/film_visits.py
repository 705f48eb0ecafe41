"""A small film, and what it takes to wait for its answer."""

from __future__ import annotations

import time
from pathlib import Path

from core import Emotion, RgbImage, video_writer
from tests.fakes import picture


def write_film(path: Path, frames: int = 12, rate: int = 30) -> Path:
    """Write a film whose first half shows a happy face, and whose second half a sad one too."""
    with video_writer(path, size_wh=(480, 360), frames_per_s=rate) as write:
        for number in range(frames):
            faces = [Emotion.HAPPY] if number < frames / 2 else [Emotion.HAPPY, Emotion.SAD]
            write(RgbImage(picture(*faces, side=120)), number / rate)
    return path


def wait_until_read(job) -> None:
    """Wait until a film is done, refused or cancelled."""
    end = time.monotonic() + 120
    while job.is_running:
        assert time.monotonic() < end
        time.sleep(0.01)
