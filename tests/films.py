"""Small films in many containers and codecs, made with FFmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

SIZE_WH = (160, 120)
CORNERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230))
"""Colours at the top left, top right, bottom left and bottom right of an upright frame."""


def corners(size_wh=SIZE_WH):
    """Return a picture (H, W, 3) that shows how it is turned."""
    width, height = size_wh
    pixels = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(CORNERS):
        rows = slice(height // 2, None) if number > 1 else slice(height // 2)
        columns = slice(width // 2, None) if number % 2 else slice(width // 2)
        pixels[rows, columns] = colour
    return pixels


def noisy(count, seed=0, size_wh=SIZE_WH):
    """Yield ``count`` pictures that do not compress well, so that each frame has many bytes."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        noise = rng.normal(0, 25, (size_wh[1], size_wh[0], 3))
        yield np.clip(corners(size_wh) + noise, 0, 255).astype(np.uint8)


def make_film(
    path: Path,
    pictures: Iterable[np.ndarray],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: int | Fraction = 10,
    times: Sequence[float] | None = None,
    turned: int = 0,
    mirrored: bool = False,
    pixel_ratio: Fraction | None = None,
    container: dict[str, str] | None = None,
    form: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write ``pictures`` as a film that a player shows as they are.

    ``turned``: stored turned clockwise by so many degrees, with a note to turn them back.
    ``times``: seconds of each frame; else they are evenly spaced.
    """
    film = av.open(str(path), "w", format=form, options=container or {})
    stream, reformatter = None, VideoReformatter()
    with film:
        for number, picture in enumerate(pictures):
            stored = picture[:, ::-1] if mirrored else picture
            stored = np.ascontiguousarray(np.rot90(stored, -turned // 90))
            if stream is None:
                stream = film.add_stream(codec, rate=rate, options=dict(options or {}))
                stream.height, stream.width = stored.shape[:2]
                stream.pix_fmt = pixel_format
                if turned or mirrored:
                    stream.set_display_rotation(turned, hflip=mirrored)
                if pixel_ratio:
                    stream.codec_context.sample_aspect_ratio = pixel_ratio
                if times is not None:
                    stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
            frame = reformatter.reformat(frame, format=pixel_format, threads=1)
            frame.pts = number
            if times is not None:
                frame.pts, frame.time_base = round(1000 * times[number]), Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def is_upright(pixels: np.ndarray) -> bool:
    """Return whether a frame shows the four corners where they belong."""
    height, width = pixels.shape[:2]
    for number, colour in enumerate(CORNERS):
        row = height // 4 + (height // 2 if number > 1 else 0)
        column = width // 4 + (width // 2 if number % 2 else 0)
        shown = pixels[row - 4 : row + 4, column - 4 : column + 4].mean((0, 1))
        if np.abs(shown - colour).max() > 60:
            return False
    return True


def damage(path: Path, *, at: float = 0.5, count: int = 1500) -> Path:
    """Overwrite ``count`` bytes with zeros, ``at`` a share of the file."""
    data = path.read_bytes()
    start = int(at * len(data))
    path.write_bytes(data[:start] + bytes(count) + data[start + count :])
    return path
