"""Recognising the same face from frame to frame, and smoothing its answer over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from .faces.boxes import box_iou
from .labels import Reading
from .types import Box, EmotionScores, FaceAnalysis

Name = TypeVar("Name", Reading, str)


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face when it was last seen."""

    number: int
    """From 1; the same as long as the face is followed, and never given again."""
    box: Box
    readings: Mapping[Reading, EmotionScores]
    """What each reading says, smoothed over time."""
    per_model: Mapping[str, EmotionScores]
    """What each network says, smoothed alike."""
    last_s: float
    """When that was, in seconds of the stream."""


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
    _tracks: dict[int, TrackedFace] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _newest_s: float = -math.inf

    def update(self, faces: Sequence[FaceAnalysis], time_s: float) -> tuple[TrackedFace, ...]:
        """Return the tracked faces of a frame taken at ``time_s``, in the order given.

        ValueError if time runs backwards.
        """
        if time_s < self._newest_s:
            raise ValueError(f"expected frames in order of time, got one at {time_s:g} s")
        self._tracks = {
            number: track
            for number, track in self._tracks.items()
            if track.last_s == self._newest_s or time_s - track.last_s <= self.keep_s
        }
        self._newest_s = time_s
        tracks = self._match_tracks(faces)
        tracked = tuple(
            self._follow(tracks.get(place), face, time_s) for place, face in enumerate(faces)
        )
        self._tracks |= {face.number: face for face in tracked}
        return tracked

    def _match_tracks(self, faces: Sequence[FaceAnalysis]) -> dict[int, TrackedFace]:
        """Return the track of each face by its place; the largest overlaps are matched first."""
        pairs = [
            (box_iou(track.box, face.face.box), place, number)
            for place, face in enumerate(faces)
            for number, track in self._tracks.items()
        ]
        matched: dict[int, TrackedFace] = {}
        taken: set[int] = set()
        for share, place, number in sorted(pairs, reverse=True):
            if share >= self.least_overlap and place not in matched and number not in taken:
                matched[place] = self._tracks[number]
                taken.add(number)
        return matched

    def _follow(self, track: TrackedFace | None, face: FaceAnalysis, time_s: float) -> TrackedFace:
        """Return ``face`` with the number of its track and smoothed, or with a new number."""
        readings, per_model = face.readings, face.per_model
        if track is None:
            number = next(self._numbers)
        else:
            past_s = time_s - track.last_s
            number = track.number
            readings = self._smooth_all(track.readings, readings, past_s)
            per_model = self._smooth_all(track.per_model, per_model, past_s)
        return TrackedFace(number, face.face.box, readings, per_model, time_s)

    def _smooth_all(
        self, old: Mapping[Name, EmotionScores], new: Mapping[Name, EmotionScores], past_s: float
    ) -> dict[Name, EmotionScores]:
        return {
            name: self._smooth(old.get(name, scores), scores, past_s)
            for name, scores in new.items()
        }

    def _smooth(self, old: EmotionScores, new: EmotionScores, past_s: float) -> EmotionScores:
        if self.smoothing_s <= 0:
            return new
        share = 1 - math.exp(-past_s / self.smoothing_s)
        pairs = zip(old.probabilities, new.probabilities, strict=True)
        smoothed = tuple(before + share * (now - before) for before, now in pairs)
        return replace(new, probabilities=smoothed)
