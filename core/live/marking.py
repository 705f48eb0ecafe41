"""Writing a film with its faces marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..faces.reduce import shrink
from ..output.render import annotate
from ..types import ImageAnalysis, RgbImage
from .film_writing import video_writer
from .video import Frame, Video


@contextmanager
def open_marked_film(
    path: Path, video: Video, *, longest_px: int | None = None
) -> Iterator[Callable[[Frame, ImageAnalysis], None]]:
    """Yield a function that adds a frame, at its own time, to an MP4 file with the faces marked.

    With ``longest_px`` larger frames are made smaller. The file gets its name when it is complete,
    and is not written if the block raises. ConfigError if it cannot be written.
    """
    longest = max(video.width, video.height)
    scale = min(1.0, longest_px / longest) if longest_px else 1.0
    size_wh = max(1, round(video.width * scale)), max(1, round(video.height * scale))
    with video_writer(path, size_wh=size_wh, frames_per_s=video.frames_per_s) as write:

        def mark(frame: Frame, analysis: ImageAnalysis) -> None:
            marked = annotate(frame.image, analysis, enlarged=1 / scale)
            if scale < 1:
                marked = RgbImage(shrink(marked.pixels, size_wh), marked.name)
            write(marked, frame.time_s)

        yield mark
