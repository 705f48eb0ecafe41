"""Decoding a film with FFmpeg, by PyAV: upright RGB frames with their own times.

Runs in a process of its own, :mod:`.film_process`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av
import av.error
import av.video.reformatter
import numpy as np

from ..errors import ImageTooLarge, UnreadableImage
from ..types import UInt8Array
from .film_container import SAVE_AS_MP4, choose_stream, describe_encoding, open_container
from .film_limits import FilmLimits, format_duration
from .film_losses import Losses, Tally
from .orientation import turn_upright

_USUAL_RATE = 25.0
"""For a film without a frame rate, or with an absurd one."""
_LONGEST_GAP_S = 3600.0
"""A frame that is later than this after the one before has a damaged time."""
_REORDERED_STEPS, _REORDERED_S = 16, 1.0
"""A frame that is earlier by more than either was filmed with a clock that started anew: decoders
hold back 16 frames at most."""
_GIVE_UP_AFTER = 100
"""Failures in a row to read anything, from which the rest of a film counts as lost."""


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What is known before the first frame is shown."""

    width: int
    height: int
    """Of the upright frames, with square pixels."""
    frames_per_s: float
    """On average, as far as the file says; frames have times of their own."""
    length: int | None
    """Number of frames according to the file."""
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One upright frame."""

    pixels: UInt8Array
    time_s: float
    """Since the first frame; never less than that of the frame before."""
    done: float
    """Share of the film that has been read, 0 to 1."""


@dataclass(slots=True)
class _Clock:
    """Turns presentation times into seconds since the first frame that never run backwards."""

    usual_step_s: float
    _offset_s: float | None = None
    _last_s: float = 0.0

    def read(self, stated_s: float | None) -> tuple[float, bool]:
        """Return the time of the next frame, and whether one with a later time came before it."""
        if self._offset_s is None:
            self._offset_s = stated_s or 0.0
            return 0.0, False
        expected_s = self._last_s + self.usual_step_s
        time_s = expected_s if stated_s is None else stated_s - self._offset_s
        earliest_s = self._last_s - max(_REORDERED_S, _REORDERED_STEPS * self.usual_step_s)
        if not earliest_s <= time_s <= self._last_s + _LONGEST_GAP_S:
            # The clock of a broadcast starts anew, or the time is damaged: go on from here.
            self._offset_s += time_s - expected_s
            time_s = expected_s
        late = time_s < self._last_s
        self._last_s = max(self._last_s, time_s)
        return self._last_s, late


@dataclass(slots=True)
class FilmDecoder:
    """A film that is open for decoding; for one thread.

    UnreadableImage or ImageTooLarge if it is not a film, or one that cannot be read or is over a
    limit. Damage behind the first good frame is passed over and counted.
    """

    file: BinaryIO
    limits: FilmLimits
    facts: FilmFacts = field(init=False)
    losses: Losses = field(init=False, default_factory=Losses)
    _container: Any = field(init=False)
    _stream: Any = field(init=False)
    _bytes: int = field(init=False)
    _rate: float = field(init=False)
    # One for all frames: each frame's own would start threads that live as long as the frame.
    _reformatter: Any = field(init=False, default_factory=av.video.reformatter.VideoReformatter)
    _tally: Tally = field(init=False)
    _size_wh: tuple[int, int] | None = field(init=False, default=None)
    _frames: Iterator[DecodedFrame] = field(init=False)
    _first: DecodedFrame = field(init=False)

    def __post_init__(self) -> None:
        self._bytes = self.file.seek(0, os.SEEK_END)
        self.file.seek(0)
        self._container = open_container(self.file)
        self._stream = choose_stream(self._container, self.file)
        context = self._stream.codec_context
        self._check_size(context.width, context.height)
        context.options = {"max_pixels": str(self.limits.longest_side_px**2)}
        context.thread_type, context.thread_count = "AUTO", 2
        rates = (self._stream.average_rate, self._stream.guessed_rate)
        self._rate = next((float(rate) for rate in rates if rate and 1 <= rate <= 300), _USUAL_RATE)
        self._tally = Tally(self._rate, self._container.format.name)
        duration_s = self._read_duration()
        if duration_s is not None and duration_s > self.limits.max_seconds:
            raise ImageTooLarge(
                f"The film lasts {format_duration(duration_s)}; at most "
                f"{format_duration(self.limits.max_seconds)} are read.",
                hint="Cut it into parts and try again.",
            )
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            encoding = describe_encoding(self._container)
            raise UnreadableImage(
                f"No frame of this film can be decoded: {encoding} is damaged.", hint=SAVE_AS_MP4
            )
        self._first = first
        height, width = first.pixels.shape[:2]
        self.facts = FilmFacts(width, height, self._rate, self._stream.frames or None, duration_s)

    def read_frames(self) -> Iterator[DecodedFrame]:
        """Yield the frames in the order in which they are shown; fills ``losses`` at the end."""
        yield self._first
        yield from self._frames

    @property
    def is_damaged(self) -> bool:
        """Whether anything could not be read so far."""
        return self._tally.damaged

    def _decode(self) -> Iterator[DecodedFrame]:
        clock, last_s = _Clock(1 / self._rate), 0.0
        for frame in self._read_good_frames():
            stamp = frame.dts if frame.pts is None else frame.pts
            stated_s = None if stamp is None else float(stamp * self._stream.time_base)
            time_s, late = clock.read(stated_s)
            if late and self._tally.is_watching:  # damage brought the frames out of order
                self._tally.note_damage()
                continue
            if time_s > self.limits.max_seconds:
                self.losses.too_long = True
                return
            try:
                pixels = self._convert(frame)
            except (av.error.FFmpegError, OSError, ValueError, MemoryError):
                self._tally.note_damage()
                continue
            self._tally.note_frame(time_s - last_s)
            last_s = time_s
            yield DecodedFrame(pixels, time_s, self._measure_progress(time_s))
        total = self._container.duration
        self.file.seek(-1, os.SEEK_END)
        self.losses = self._tally.count(
            stated_frames=self._stream.frames,
            stated_s=total / av.time_base if total else None,
            last_byte=self.file.read(1),
        )

    def _read_good_frames(self) -> Iterator[Any]:
        """Yield each frame that is whole, and count."""
        for packet in self._read_packets():
            if packet.stream is not self._stream:
                self._tally.note_packet(packet, shown=None)
                continue
            if packet.size or packet.dts is not None:  # else it is the end
                self._tally.note_packet(packet, shown=_is_shown(self._stream, packet))
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError, ValueError):
                self._tally.note_damage()
                continue
            for frame in frames:
                if frame.is_corrupt or not self._is_allowed(frame):
                    self._tally.note_damage()
                else:
                    yield frame

    def _read_packets(self) -> Iterator[Any]:
        """Yield the packets of all streams; go on behind those that cannot be read."""
        failures = 0
        while failures < _GIVE_UP_AFTER:
            try:
                for packet in self._container.demux():
                    failures = 0
                    yield packet
            except (av.error.FFmpegError, OSError):
                self._tally.note_damage()
                failures += 1
            else:
                return

    def _convert(self, frame: Any) -> UInt8Array:
        """Return the pixels of ``frame``: RGB, upright, square, all of the first one's size."""
        width, height = frame.width, frame.height
        ratio = self._stream.sample_aspect_ratio
        if ratio and 0.25 <= ratio <= 4 and ratio != 1:  # DV and DVD have narrow or wide pixels
            stretched = round(width * float(ratio))
            width = min(stretched, self.limits.longest_side_px)
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if self._size_wh is not None:  # a recorder changed the size on the way
            first_wh = self._size_wh[::-1] if _is_turned(matrix) else self._size_wh
            width, height = _fit(width, height, first_wh)
        pixels = _to_rgb(self._reformatter, frame, width, height)
        pixels = turn_upright(pixels, bytes(matrix) if matrix is not None else None)
        if self._size_wh is None:
            self._size_wh = pixels.shape[1], pixels.shape[0]
        return _pad(pixels, self._size_wh)

    def _is_allowed(self, frame: Any) -> bool:
        return max(int(frame.width), int(frame.height)) <= self.limits.longest_side_px

    def _check_size(self, width: int, height: int) -> None:
        most = self.limits.longest_side_px
        if max(width, height) > most:
            raise ImageTooLarge(
                f"The film has {width} x {height} pixels; {most} a side are the most.",
                hint="Save it smaller: 1280 x 720 is plenty for faces.",
            )

    def _read_duration(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        total = self._container.duration
        return total / av.time_base if total and total > 0 else None

    def _measure_progress(self, time_s: float) -> float:
        duration_s = self._read_duration()
        if duration_s:
            return min(1.0, time_s / duration_s)
        return min(1.0, self.file.tell() / self._bytes) if self._bytes else 0.0


def _is_shown(stream: Any, packet: Any) -> bool:
    """Return whether an encoded frame is shown.

    An edited film has some that are not; AVI has empty ones; VP8 some that only help others.
    """
    if not packet.size or packet.is_discard:
        return False
    return stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & 0x10)


def _fit(width: int, height: int, most_wh: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size in ``most_wh`` with the same proportions."""
    scale = min(most_wh[0] / width, most_wh[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _is_turned(matrix: Any) -> bool:
    blank: UInt8Array = np.zeros((1, 2, 3), np.uint8)
    return turn_upright(blank, bytes(matrix) if matrix is not None else None).shape[0] == 2


def _to_rgb(reformatter: Any, frame: Any, width: int, height: int) -> UInt8Array:
    """Return the pixels, (height, width, 3); what is transparent becomes white."""
    if not any(part.is_alpha for part in frame.format.components) and frame.format.name != "pal8":
        rgb = reformatter.reformat(frame, width, height, "rgb24", threads=1)
        return np.asarray(rgb.to_ndarray())
    pixels = reformatter.reformat(frame, width, height, "rgba", threads=1).to_ndarray()
    alpha = pixels[..., 3:].astype(np.uint16)
    return np.asarray((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255, np.uint8)


def _pad(pixels: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """Return ``pixels`` in the middle of a black frame of ``size_wh``."""
    height, width = pixels.shape[:2]
    if (width, height) == size_wh:
        return pixels
    whole: UInt8Array = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    left, top = (size_wh[0] - width) // 2, (size_wh[1] - height) // 2
    whole[top : top + height, left : left + width] = pixels
    return whole
