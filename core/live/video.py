"""Frames of a video file or a camera, one at a time, and a video written frame by frame."""

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
from .quiet import quiet_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SIDE_PX = 4096
"""Frames of more are refused: 8K takes 100 MB a frame, and no face needs it."""
_USUAL_RATE = 25.0
"""For a file that tells no frame rate, or an absurd one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video."""

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
    """Number of frames as the file tells it; None for a camera and where it tells none."""
    frames: Iterator[Frame]
    """Each read when it is asked for; one that cannot be decoded ends them."""


def is_video(path: Path) -> bool:
    """Whether a file's first bytes are those of a video; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_video_head(file.read(4096))
    except (OSError, ValueError):
        return False


@contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """The video in a local file.

    UnreadableImage for a file that is none, is damaged or too large. No network is opened,
    whatever the file says: a play list is not followed beyond files.
    """
    if not path.is_file():
        raise UnreadableImage(
            "There is no such video file." if not path.exists() else "This is not a file.",
            hint="Name a video file of this computer; web addresses are not opened.",
        )
    if not is_video(path):
        raise UnreadableImage(
            "This is no video that can be read.",
            hint="Save it as MP4 (H.264), then try again. For photos: emotion analyze.",
        )
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
    with quiet_stderr():  # FFmpeg says there what is wrong, and the error says it too
        capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    damaged = UnreadableImage(
        "The video is damaged, or in a format that cannot be read.",
        hint="Save it as MP4 (H.264), then try again.",
    )
    with _open_capture(capture, path.name, damaged, by_clock=None) as video:
        yield video


@contextmanager
def open_camera(number: int, clock: Callable[[], float]) -> Iterator[Video]:
    """The camera ``number``, its frames told by ``clock`` in seconds; ConfigError without one."""
    missing = ConfigError(
        f"There is no camera number {number}, or another program is using it.",
        hint="Connect one or close the other program; or name a video file: emotion live FILE.",
    )
    with quiet_stderr():
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
    """A function that adds a frame to an MP4 file, which appears under its name when it is whole.

    ConfigError where nothing can be written.
    """
    partial = path.with_name(f".{path.stem}.part.mp4")
    failure = ConfigError(
        f"No video can be written to {path}.",
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
