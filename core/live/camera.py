"""Reading frames from a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from ..errors import ConfigError
from ..types import RgbImage
from .native_stderr import discard_stderr
from .video import Frame, Video

_USUAL_RATE = 25.0
"""For a camera that does not say how many frames it gives, or says nonsense."""


@contextmanager
def open_camera(number: int, clock: Callable[[], float]) -> Iterator[Video]:
    """Open camera ``number``, with times of ``clock`` in seconds; ConfigError if it is missing."""
    with discard_stderr():
        capture = cv2.VideoCapture(number)
    try:
        width, height = (
            int(capture.get(which))
            for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if not capture.isOpened() or min(width, height) < 1:
            raise ConfigError(
                f"There is no camera number {number}, or another program is using it.",
                hint="Connect a camera, close the other program, or name a video file: "
                "emotion live FILE.",
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        yield Video(
            name=f"camera {number}",
            width=width,
            height=height,
            frames_per_s=rate if 1 <= rate <= 300 else _USUAL_RATE,
            length=None,
            frames=_read_frames(capture, f"camera {number}", clock),
        )
    finally:
        capture.release()


def _read_frames(
    capture: cv2.VideoCapture, name: str, clock: Callable[[], float]
) -> Iterator[Frame]:
    first_s = None
    while True:
        read, pixels = capture.read()
        if not read:
            return
        now_s = clock()
        first_s = now_s if first_s is None else first_s
        yield Frame(
            RgbImage(np.ascontiguousarray(pixels[..., ::-1], np.uint8), name), now_s - first_s
        )
