"""Reading frames from a video file or a camera, and writing a video frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import ConfigError, UnreadableImage
from ..reading.formats import is_video_head
from ..types import RgbImage
from .native_stderr import discard_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SIDE_PX = 4096
"""Larger frames are refused: 8K takes 100 MB a frame, and no face needs it."""
_USUAL_RATE = 25.0
"""For a file without a frame rate, or with an absurd one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a video."""

    image: RgbImage
    time_s: float
    """Since the first frame."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video that is open for reading."""

    name: str
    width: int
    height: int
    frames_per_s: float
    length: int | None
    """Number of frames according to the file; None for a camera or if it is unknown."""
    frames: Iterator[Frame]
    """Read one at a time; a frame that cannot be decoded is the last."""


def is_video(path: Path) -> bool:
    """Return whether a file starts like a video; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_video_head(file.read(4096))
    except (OSError, ValueError):
        return False


@contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """Open the video in a local file.

    UnreadableImage for a file that is not a video, damaged or too large. A playlist may name
    files only: no network connection is opened.
    """
    if not path.is_file():
        raise UnreadableImage(
            "There is no such video file." if not path.exists() else "This is not a file.",
            hint="Name a video file on this computer; web addresses are not opened.",
        )
    if not is_video(path):
        raise UnreadableImage(
            "This file is not a readable video.",
            hint="Save it as MP4 (H.264) and try again. For photos use: emotion analyze.",
        )
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
    with discard_stderr():  # the error says what FFmpeg prints there
        capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    damaged = UnreadableImage(
        "The video is damaged, or in a format that cannot be read.",
        hint="Save it as MP4 (H.264) and try again.",
    )
    with _open_capture(capture, path.name, damaged, by_clock=None) as video:
        yield video


@contextmanager
def open_camera(number: int, clock: Callable[[], float]) -> Iterator[Video]:
    """Open camera ``number``, with times of ``clock`` in seconds; ConfigError if it is missing."""
    missing = ConfigError(
        f"There is no camera number {number}, or another program is using it.",
        hint="Connect a camera, close the other program, or name a video file: emotion live FILE.",
    )
    with discard_stderr():
        capture = cv2.VideoCapture(number)
    with _open_capture(capture, f"camera {number}", missing, by_clock=clock) as video:
        yield video


@contextmanager
def _open_capture(
    capture: cv2.VideoCapture,
    name: str,
    failure: UnreadableImage | ConfigError,
    *,
    by_clock: Callable[[], float] | None,
) -> Iterator[Video]:
    try:
        width, height = (
            int(capture.get(which))
            for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if not capture.isOpened() or min(width, height) < 1:
            raise failure
        if max(width, height) > LONGEST_SIDE_PX:
            raise UnreadableImage(
                f"The video has {width} x {height} pixels; {LONGEST_SIDE_PX} a side are the most.",
                hint="Save it smaller: 1280 x 720 is plenty for faces.",
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if 1 <= rate <= 1000 else _USUAL_RATE
        length = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        yield Video(
            name=name,
            width=width,
            height=height,
            frames_per_s=rate,
            length=length if length > 0 and by_clock is None else None,
            frames=_read_frames(capture, name, rate, by_clock),
        )
    finally:
        capture.release()


def _read_frames(
    capture: cv2.VideoCapture, name: str, rate: float, clock: Callable[[], float] | None
) -> Iterator[Frame]:
    began = clock() if clock else 0.0
    number = 0
    while True:
        read, pixels = capture.read()
        if not read:
            return
        time_s = clock() - began if clock else number / rate
        yield Frame(RgbImage(np.ascontiguousarray(pixels[..., ::-1], np.uint8), name), time_s)
        number += 1


@contextmanager
def video_writer(
    path: Path, *, size_wh: tuple[int, int], frames_per_s: float
) -> Iterator[Callable[[RgbImage], None]]:
    """Yield a function that adds a frame to an MP4 file, which gets its name when complete.

    ConfigError if it cannot be written.
    """
    partial = path.with_name(f".{path.stem}.part.mp4")
    failure = ConfigError(
        f"The video cannot be written to {path}.",
        hint="Name a .mp4 file in a folder that you may write to, on a disk with room.",
    )
    if path.suffix.lower() != ".mp4" or not path.parent.is_dir():
        raise failure
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(partial), cv2.CAP_FFMPEG, code, frames_per_s, size_wh)
    try:
        if not writer.isOpened():
            raise failure
        yield lambda image: writer.write(np.ascontiguousarray(image.pixels[..., ::-1]))
        writer.release()
        try:
            partial.replace(path)
        except OSError as error:
            raise failure from error
    finally:
        writer.release()
        partial.unlink(missing_ok=True)
