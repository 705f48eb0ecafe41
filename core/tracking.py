"""Tracking faces from frame to frame, and smoothing their scores over time."""

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
    """From 1; the same while the face is tracked, and never reused."""
    box: Box
    emotions: EmotionScores
    """Smoothed over time."""
    per_model: Mapping[str, EmotionScores]
    """Scores of each network, smoothed too."""
    last_s: float
    """Time of the frame."""


@dataclass(slots=True)
class FaceTracker:
    """Tracks faces by the overlap of their boxes; for one stream in one thread.

    Smoothing depends on time, not on the number of frames.
    """

    smoothing_s: float = 0.6
    """Time after which an old score counts 1 / e; 0 turns smoothing off."""
    keep_s: float = 1.0
    """How long a face that is not seen keeps its number; until the next frame at least."""
    least_overlap: float = 0.25
    """Intersection over union from which two boxes show the same face."""
    _tracks: list[TrackedFace] = field(default_factory=list)
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
            if place in followed:
                track = self._continue(self._tracks[followed[place]], face, time_s)
                self._tracks[followed[place]] = track
            else:
                number = next(self._numbers)
                track = TrackedFace(number, face.face.box, face.emotions, face.per_model, time_s)
                self._tracks.append(track)
            tracked.append(track)
        return tuple(tracked)

    def _match_tracks(self, faces: Sequence[FaceAnalysis]) -> dict[int, int]:
        """Return the track's place for each face's; the largest overlaps are matched first."""
        pairs = [
            (box_iou(track.box, face.face.box), place, number)
            for place, face in enumerate(faces)
            for number, track in enumerate(self._tracks)
        ]
        followed: dict[int, int] = {}
        for share, place, number in sorted(pairs, reverse=True):
            if share < self.least_overlap:
                break
            if place not in followed and number not in followed.values():
                followed[place] = number
        return followed

    def _continue(self, track: TrackedFace, face: FaceAnalysis, time_s: float) -> TrackedFace:
        past_s = time_s - track.last_s
        per_model = {
            name: self._smooth(track.per_model.get(name, scores), scores, past_s)
            for name, scores in face.per_model.items()
        }
        emotions = self._smooth(track.emotions, face.emotions, past_s)
        return TrackedFace(track.number, face.face.box, emotions, per_model, time_s)

    def _smooth(self, old: EmotionScores, new: EmotionScores, past_s: float) -> EmotionScores:
        if self.smoothing_s <= 0:
            return new
        share = 1 - math.exp(-past_s / self.smoothing_s)
        pairs = zip(old.probabilities, new.probabilities, strict=True)
        return EmotionScores(
            tuple(before + share * (now - before) for before, now in pairs), new.certain_from
        )
