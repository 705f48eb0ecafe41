"""Reading some frames of a film, and giving those in between what stands around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from ..types import Box, Face, FaceAnalysis, ImageAnalysis, Landmarks
from .following import FaceFollower
from .video import Frame

READS_PER_S = 15.0
"""Frames that are read in a second of a film. Answers are smoothed over .6 s, so more change
little; a face that crosses the picture in a second moves by a fifteenth of it."""
_SLACK_S = 0.001
"""Films note their times in milliseconds."""
_MOST_WAITING = 16
"""Frames held between two that are read; a film of 240 a second needs them."""

Answered = tuple[Frame, ImageAnalysis]


@dataclass(slots=True)
class FilmSampler:
    """Answers the frames of one film in order, but runs the networks for some only.

    The first frame, the first one after a cut and from then on at most ``reads_per_s`` a second
    are read. In the frames between two of them, a face that both have moves evenly from one place
    to the other and keeps the answer of the first; a face that is in the first only stays for half
    of them. So a frame is answered once the next one has been read.
    """

    follower: FaceFollower
    reads_per_s: float = READS_PER_S
    take_turn: Callable[[], AbstractContextManager[object]] = nullcontext
    """Holds a place among others who run networks, for one frame."""
    _read: Answered | None = None
    """The newest frame that was read."""
    _waiting: list[Frame] = field(default_factory=list)

    def add(self, frame: Frame) -> Iterator[Answered]:
        """Yield the frames that can be answered now that ``frame`` is known."""
        cut = self.follower.notice_cut(frame)
        if not (cut or self._is_due(frame)):
            self._waiting.append(frame)
            return
        with self.take_turn():
            analysis = self.follower.answer(frame, cut=cut)
        yield from self._answer_waiting(None if cut else (frame, analysis))
        self._read = frame, analysis
        yield frame, analysis

    def finish(self) -> Iterator[Answered]:
        """Yield the frames that are left at the end of the film."""
        yield from self._answer_waiting(None)

    def _is_due(self, frame: Frame) -> bool:
        if self._read is None or len(self._waiting) >= _MOST_WAITING:
            return True
        return frame.time_s - self._read[0].time_s >= 1 / self.reads_per_s - _SLACK_S

    def _answer_waiting(self, after: Answered | None) -> Iterator[Answered]:
        waiting, self._waiting = self._waiting, []
        if self._read is not None:  # the first frame never waits
            for frame in waiting:
                yield frame, _answer_between(self._read, frame, after)


def _answer_between(before: Answered, frame: Frame, after: Answered | None) -> ImageAnalysis:
    """Return the faces of ``frame``, between two that were read; ``after`` None: it is unknown."""
    first, analysis = before
    if after is None:
        return analysis
    last, following = after
    share = (frame.time_s - first.time_s) / max(last.time_s - first.time_s, 1e-9)
    there = {face.index: face for face in following.faces}
    faces = [
        _move(face, there[face.index], share) if face.index in there else face
        for face in analysis.faces
        if face.index in there or share <= 0.5
    ]
    return replace(analysis, faces=tuple(faces))


def _move(face: FaceAnalysis, there: FaceAnalysis, share: float) -> FaceAnalysis:
    old, new = face.face, there.face
    corners = [
        getattr(old.box, side) + share * (getattr(new.box, side) - getattr(old.box, side))
        for side in ("x1", "y1", "x2", "y2")
    ]
    return replace(face, face=replace(old, box=Box(*corners), landmarks=_mix(old, new, share)))


def _mix(old: Face, new: Face, share: float) -> Landmarks | None:
    one, other = old.landmarks, new.landmarks
    if one is None or other is None or one.points.shape != other.points.shape:
        return one
    return replace(one, points=one.points + (other.points - one.points) * share)
