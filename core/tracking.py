"""Recognising the same face from frame to frame, and smoothing its answer over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from .faces.boxes import box_iou
from .types import Box, EmotionScores, FaceAnalysis


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in the newest frame."""

    number: int
    """From 1; the same as long as the face is followed, and never given again."""
    box: Box
    emotions: EmotionScores
    """Smoothed over time."""
    per_model: Mapping[str, EmotionScores]
    """What each network says, smoothed alike."""
    seen_s: float
    """Seconds since it was seen first."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    emotions: EmotionScores
    per_model: Mapping[str, EmotionScores]
    first_s: float
    last_s: float


@dataclass(slots=True)
class FaceTracker:
    """Follows faces by the overlap of their boxes.

    One for each stream; not for several threads. Smoothing goes by the clock, so that it is
    the same at any frame rate.
    """

    smoothing_s: float = 0.6
    """Time after which an old answer counts 1 / e; 0 smooths nothing."""
    keep_s: float = 1.0
    """How long a face that is not seen keeps its number; one in the last frame always does."""
    least_overlap: float = 0.25
    """Intersection over union from which two boxes show the same face."""
    _tracks: list[_Track] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _newest_s: float = -math.inf

    def update(self, faces: Sequence[FaceAnalysis], time_s: float) -> tuple[TrackedFace, ...]:
        """Return the tracked faces of a frame taken at ``time_s``, in the order given.

        ValueError if time runs backwards.
        """
        if time_s < self._newest_s:
            raise ValueError(f"expected frames in order of time, got one at {time_s:g} s")
        self._tracks = [
            each
            for each in self._tracks
            if each.last_s == self._newest_s or time_s - each.last_s <= self.keep_s
        ]
        self._newest_s = time_s
        followed = self._match_tracks(faces)
        tracked = []
        for place, face in enumerate(faces):
            track = followed.get(place)
            if track is None:
                track = _Track(
                    next(self._numbers),
                    face.face.box,
                    face.emotions,
                    face.per_model,
                    time_s,
                    time_s,
                )
                self._tracks.append(track)
            else:
                past_s = time_s - track.last_s
                track.emotions = self._smooth(track.emotions, face.emotions, past_s)
                track.per_model = {
                    name: self._smooth(track.per_model.get(name, scores), scores, past_s)
                    for name, scores in face.per_model.items()
                }
                track.box, track.last_s = face.face.box, time_s
            seen_s = time_s - track.first_s
            tracked.append(
                TrackedFace(track.number, track.box, track.emotions, track.per_model, seen_s)
            )
        return tuple(tracked)

    def _match_tracks(self, faces: Sequence[FaceAnalysis]) -> dict[int, _Track]:
        """Return the track of each face by its place; the largest overlaps are matched first."""
        pairs = [
            (box_iou(track.box, face.face.box), place, number)
            for place, face in enumerate(faces)
            for number, track in enumerate(self._tracks)
        ]
        followed: dict[int, _Track] = {}
        taken: set[int] = set()
        for share, place, number in sorted(pairs, reverse=True):
            if share >= self.least_overlap and place not in followed and number not in taken:
                followed[place] = self._tracks[number]
                taken.add(number)
        return followed

    def _smooth(self, old: EmotionScores, new: EmotionScores, past_s: float) -> EmotionScores:
        if self.smoothing_s <= 0:
            return new
        share = 1 - math.exp(-past_s / self.smoothing_s)
        pairs = zip(old.probabilities, new.probabilities, strict=True)
        return EmotionScores(
            tuple(before + share * (now - before) for before, now in pairs), new.certain_from
        )
