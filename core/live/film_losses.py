"""Counting what is missing from a damaged film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_WATCHED = 48
"""Frames after a damage among which times may jump: as many as a decoder holds back, and more."""
_JUMP_STEPS = 1.75
"""A step this many times the usual one leaves out a frame."""
_STATED_DURATION = ("matroska", "avi", "asf", "flv")
"""Containers that state their duration; for others FFmpeg takes it from the last frame."""
_EARLIER_S = 1.0
"""A film that ends this much before its stated end was cut off; encoders are no more exact."""
_EVEN_SHARE = 0.9
"""Share of evenly spaced frames from which a long step in a WMV file is a hole: FFmpeg passes over
damage there and says nothing."""
GIF_END = b";"
"""The last byte of a whole GIF."""


@dataclass(slots=True)
class Losses:
    """What could not be read; complete after the last frame."""

    frames: int = 0
    """About how many frames are missing, at least 1 after any damage."""
    of: int = 0
    """About how many there should be; 0 if nothing was lost."""
    too_long: bool = False
    """Whether the film was left at the longest duration that is read."""


@dataclass(slots=True)
class Tally:
    """Counts what comes out of a film against what goes in."""

    rate: float
    """Usual frames in a second."""
    container: str
    """FFmpeg's name of it."""
    damaged: bool = False
    good: int = 0
    """Frames that were shown."""
    _encoded: int = 0
    """Frames in the file that should be shown."""
    _hidden: int = 0
    """Frames in the file that should not be shown."""
    _gaps: int = 0
    """Frames missing where something was damaged, by the times around it."""
    _watched: int = 0
    _even: int = 0
    """Frames at the usual distance from the one before."""
    _jumps: int = 0
    """Frames that are missing if they should be evenly spaced."""
    _end_s: float = 0.0
    """The latest end of a packet of any stream, on the container's clock."""

    def note_packet(self, packet: Any, *, shown: bool | None) -> None:
        """Count a packet of the film, or with ``shown`` None one of its sound."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            end_s = float((stamp + (packet.duration or 0)) * packet.time_base)
            self._end_s = max(self._end_s, end_s)
        if shown is not None:
            self._encoded += shown
            self._hidden += not shown
        if packet.is_corrupt:  # of a broadcast; it may be no more than a splice
            self._watched = _WATCHED

    @property
    def is_watching(self) -> bool:
        """Whether something was damaged a few frames ago."""
        return self._watched > 0

    def note_damage(self) -> None:
        """Count something that could not be decoded."""
        self.damaged, self._watched = True, _WATCHED

    def note_frame(self, step_s: float) -> None:
        """Count a frame that is shown ``step_s`` after the one before."""
        self.good += 1
        steps = step_s * self.rate
        if steps > _JUMP_STEPS:
            self._jumps += round(steps) - 1
            if self._watched:
                self.damaged = True
                self._gaps += round(steps) - 1
        elif steps > 1 / _JUMP_STEPS:
            self._even += 1
        self._watched = max(0, self._watched - 1)

    def count(self, *, stated_frames: int, stated_s: float | None, last_byte: bytes) -> Losses:
        """Return the losses of a film that was read to its end, by what its file states."""
        expected = self._encoded
        missing = stated_frames - self._hidden - self._encoded
        if "mp4" in self.container:  # has a table of all frames
            expected += max(0, missing)
        elif self.container == "avi" and missing > _EARLIER_S * self.rate:
            expected += missing
        elif self.container.startswith(_STATED_DURATION) and stated_s:
            missing_s = stated_s - self._end_s
            expected += round(missing_s * self.rate) if missing_s > _EARLIER_S else 0
        elif self.container == "gif":
            self.damaged |= last_byte != GIF_END
        if self.container == "asf" and self._jumps and self._even > _EVEN_SHARE * self.good:
            self.damaged, self._gaps = True, self._jumps
        if not self.damaged and expected == self._encoded:
            return Losses()
        lost = max(1, expected - self.good, self._gaps)
        return Losses(lost, self.good + lost)
