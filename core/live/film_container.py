"""Opening a film's container with FFmpeg, by its content and without any other file."""

from __future__ import annotations

import contextlib
import os
import re
from functools import cache
from typing import Any, BinaryIO

import av
import av.error
import av.stream

from ..errors import UnreadableImage
from ..reading.formats import is_video_head

_HEADER_BYTES = 1024**2
_CODEC_NAME = re.compile(  # in MP4 and MOV; in AVI; in Matroska and WebM
    rb"stsd.{12}([ -~]{4})|strh.{4}vids([ -~]{4})|(V_[A-Z0-9/_]{2,24})", re.DOTALL
)
_BUFFER_BYTES = 256 * 1024
_NO_FILMS = frozenset(
    # These name other files, devices or addresses …
    {"concat", "dash", "hls", "image2", "image2pipe", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp"}
    | {"vobsub", "webm_dash_manifest"}
    # … and these take any text for a picture.
    | {"adf", "bin", "idf", "tty", "xbin"}
)
SAVE_AS_MP4 = "Save it as MP4 (H.264) and try again."


@cache
def _list_film_formats() -> str:
    """Return every demuxer that reads one file and is no list of others, separated by commas."""
    names = []
    for name in sorted(av.formats_available):
        with contextlib.suppress(ValueError):
            known = av.ContainerFormat(name, "r")
            if not known.no_file and known.name not in _NO_FILMS and "_pipe" not in name:
                names.append(known.name)
    return ",".join(names)


class _Film:
    """A film file without a name, so that its content alone decides what it is."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def open_container(file: BinaryIO) -> Any:
    """Return PyAV's container of an open file; UnreadableImage if it is not a film."""
    options = {"format_whitelist": _list_film_formats(), "protocol_whitelist": "none"}
    try:
        return av.open(_Film(file), container_options=options, buffer_size=_BUFFER_BYTES)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        file.seek(0)
        raise UnreadableImage(
            "This film is damaged or was cut off: its list of frames cannot be read."
            if is_video_head(file.read(4096))
            else "This file is not a readable video.",
            hint=f"{SAVE_AS_MP4} For a photo, use emotion analyze or the page for photos.",
        ) from error


def choose_stream(container: Any, file: BinaryIO) -> Any:
    """Return the film itself, not the cover picture of a recording."""
    covers = av.stream.Disposition.attached_pic
    streams = [each for each in container.streams.video if not each.disposition & covers]
    if not streams:
        raise UnreadableImage(
            "This file has sound but no film." if container.streams else "This film is empty.",
            hint="Choose a video file.",
        )
    readable = [each for each in streams if each.codec_context is not None]
    if not readable:
        raise UnreadableImage(
            f"This film is encoded as {_find_codec_name(file) or 'an unknown codec'} in "
            f"{container.format.long_name}, which we can't decode.",
            hint=SAVE_AS_MP4,
        )
    return max(readable, key=lambda each: each.codec_context.width * each.codec_context.height)


def describe_encoding(container: Any) -> str:
    """Return the codec and the container of a film, as people write them."""
    codec = next(iter(container.streams.video)).codec_context.name
    return f"{codec} in {container.format.long_name}"


def _find_codec_name(file: BinaryIO) -> str | None:
    """Return what the container calls the codec; FFmpeg does not say so of those it cannot decode.

    The name stands in the header, which an MP4 file may have at its end.
    """
    file.seek(0)
    data = file.read(_HEADER_BYTES)
    file.seek(-min(_HEADER_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
    found = _CODEC_NAME.search(data) or _CODEC_NAME.search(file.read(_HEADER_BYTES))
    return next(filter(None, found.groups())).decode().strip() if found else None
