"""Writing a film frame by frame, in a format that browsers and phones play."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..files import is_folder, part_path
from ..outputs import ends_with
from ..types import RgbImage, UInt8Array
from .native_stderr import discard_stderr

_MARK = b"faces marked by emotion"
_WRITTEN_HERE = struct.pack(">I4s", 8 + len(_MARK), b"free") + _MARK
"""How the films end that are written here: a box that players skip."""
_TICKS = 90_000
"""Ticks of a second in the file: the usual clock of films, and finer than any camera."""


def is_marked_video(path: Path) -> bool:
    """Return whether :func:`video_writer` wrote a file; False if it cannot be read."""
    return ends_with(_WRITTEN_HERE)(path)


@contextmanager
def video_writer(
    path: Path, *, size_wh: tuple[int, int], frames_per_s: float
) -> Iterator[Callable[[RgbImage, float | None], None]]:
    """Yield a function that adds a frame, shown at the given second, to an MP4 file (H.264).

    Times must not run backwards; without them frames are evenly spaced. The file gets its name
    when it is complete, and is not written if the block raises. A frame of odd width or height
    repeats its last column or row, because H.264 has none. ConfigError if it cannot be written.
    """
    with discard_stderr():  # macOS says there that OpenCV brings an FFmpeg of its own
        import av

    failure = ConfigError(
        f"The video cannot be written to {path}.",
        hint="Name a .mp4 file in a folder that you may write to, on a disk with room.",
    )
    if path.suffix.lower() != ".mp4" or not is_folder(path.parent):
        raise failure
    partial = part_path(path)
    try:
        # The index stands first, so that a browser can start to play while it loads.
        film = av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"})
    except OSError as error:
        raise failure from error
    try:
        with film:
            film_stream = _add_stream(film, size_wh, frames_per_s)
            yield _Adder(film, film_stream, frames_per_s, failure)
            film.mux(film_stream.encode(None))
        with partial.open("ab") as file:
            file.write(_WRITTEN_HERE)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise failure from error
    finally:
        partial.unlink(missing_ok=True)


def _add_stream(film: Any, size_wh: tuple[int, int], frames_per_s: float) -> Any:
    rate = Fraction(frames_per_s).limit_denominator(1001)
    # Without frames that refer to later ones the file's clock is that of the frames, so its
    # duration is right even if they are not evenly spaced.
    options = {"preset": "veryfast", "crf": "20", "bf": "0"}
    stream = film.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = (side + side % 2 for side in size_wh)
    stream.pix_fmt = "yuv420p"  # the only one that all browsers play
    stream.codec_context.time_base = Fraction(1, _TICKS)
    return stream


class _Adder:
    """Encodes one frame after another."""

    def __init__(self, film: Any, stream: Any, frames_per_s: float, failure: ConfigError) -> None:
        self._film, self._stream, self._failure = film, stream, failure
        self._step, self._last = round(_TICKS / frames_per_s), -1
        from av.video.reformatter import VideoReformatter

        # One for all frames: each frame's own would start threads that live as long as the frame.
        self._reformatter: Any = VideoReformatter()

    def __call__(self, image: RgbImage, time_s: float | None = None) -> None:
        from av import VideoFrame

        even = (self._last + self._step) if self._last >= 0 else 0
        # Two frames at the same moment stay two.
        tick = even if time_s is None else max(self._last + 1, round(time_s * _TICKS))
        rgb = VideoFrame.from_ndarray(_make_even(image.pixels), format="rgb24")
        frame = self._reformatter.reformat(rgb, format=self._stream.pix_fmt, threads=1)
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        frame.duration = self._step  # counts for the last frame only
        self._last = tick
        try:
            self._film.mux(self._stream.encode(frame))
        except OSError as error:
            raise self._failure from error


def _make_even(pixels: UInt8Array) -> UInt8Array:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    return np.ascontiguousarray(pixels)
