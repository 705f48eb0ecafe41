"""Films and cameras as streams of frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, UnsupportedImage
from ..files import open_ordinary_file
from ..reading.formats import identify, is_video_head
from ..types import RgbImage
from .film_limits import FilmLimits
from .film_link import FilmLink

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a video."""

    image: RgbImage
    time_s: float
    """When it is shown, since the first frame; films need not be evenly spaced."""
    done: float | None = None
    """Share of the film that has been read, 0 to 1; None for a camera."""


@dataclass(slots=True)
class Video:
    """A video that is open for reading."""

    name: str
    width: int
    height: int
    frames_per_s: float
    """On average, as far as the file or the camera says."""
    length: int | None
    """Number of frames according to the file; None for a camera or if it is unknown."""
    frames: Iterator[Frame]
    """Read one at a time, upright and all of one size."""
    duration_s: float | None = None
    """According to the file; None for a camera or if it is unknown."""
    lost_frames: int = 0
    """About how many frames could not be read; complete after the last frame."""
    problems: Sequence[str] = field(default_factory=tuple)
    """What is missing, in sentences; complete after the last frame."""


def is_video(path: Path) -> bool:
    """Return whether a file is a video, even a damaged one; False if it cannot be read.

    A picture is none, although the container of a HEIC photo is that of videos.
    """
    try:
        with open_ordinary_file(path) as file:
            head = file.read(4096)
        return is_video_head(head) or (not _is_picture_head(head) and _opens(path))
    except (OSError, ValueError):
        return False


def _is_picture_head(head: bytes) -> bool:
    try:
        identify(head)
    except InputError as error:
        return isinstance(error, UnsupportedImage)
    return True


def _opens(path: Path) -> bool:
    try:
        with open_video(path):
            return True
    except InputError:
        return False


@contextmanager
def open_video(path: Path, limits: FilmLimits | None = None) -> Iterator[Video]:
    """Open the film in a local file; its content decides what it is.

    It is decoded in a process of its own, which can open no other file and no connection. Damage
    behind the first frame is passed over, and said in ``problems``. UnreadableImage for a file
    that is not a film or cannot be decoded, ImageTooLarge for one over ``limits``.
    """
    link = FilmLink(path, limits or FilmLimits())
    try:
        video = Video(
            name=path.name,
            width=link.width,
            height=link.height,
            frames_per_s=link.frames_per_s,
            length=link.length,
            frames=iter(()),
            duration_s=link.duration_s,
        )
        video.frames = _read_frames(link, video)
        yield video
    finally:
        link.end()


def _read_frames(link: FilmLink, video: Video) -> Iterator[Frame]:
    for frame in link.read_frames():
        video.lost_frames, video.problems = link.lost_frames, tuple(link.problems)
        yield Frame(RgbImage(frame.pixels, video.name), frame.time_s, frame.done)
    video.lost_frames, video.problems = link.lost_frames, tuple(link.problems)
