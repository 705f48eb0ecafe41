"""Recognising the same face from frame to frame, and smoothing its answer over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

import numpy as np

from .faces.boxes import box_iou
from .labels import Reading
from .types import Box, EmotionScores, FaceAnalysis, Float32Array

Name = TypeVar("Name", Reading, str)

_SAME_LOOK = 0.88
"""Correlation of two aligned crops from which they show the same face. Crops of different people
in 36 photos reached 0.86; the same face moved, turned, lit otherwise and noisy kept 0.94."""


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
    the same at any frame rate. After a cut, and when a face was gone for a while, another person
    may be in its place: then the faces must look alike too, or the number is a new one.
    """

    smoothing_s: float = 0.6
    """Time after which an old answer counts 1 / e; 0 smooths nothing."""
    keep_s: float = 1.0
    """How long a face that is not seen keeps its number; one in the last frame always does."""
    least_overlap: float = 0.25
    """Intersection over union from which two boxes show the same face."""
    _tracks: dict[int, TrackedFace] = field(default_factory=dict)
    _looks: dict[int, Float32Array] = field(default_factory=dict)
    """The crop of each track, normalised; forgotten with the track."""
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _newest_s: float = -math.inf

    def update(
        self, faces: Sequence[FaceAnalysis], time_s: float, *, cut: bool = False
    ) -> tuple[TrackedFace, ...]:
        """Return the tracked faces of a frame taken at ``time_s``, in the order given.

        ``cut`` says that the frame may begin another scene. ValueError if time runs backwards.
        """
        if time_s < self._newest_s:
            raise ValueError(f"expected frames in order of time, got one at {time_s:g} s")
        self._tracks = {
            number: track
            for number, track in self._tracks.items()
            if track.last_s == self._newest_s or time_s - track.last_s <= self.keep_s
        }
        before_s, self._newest_s = self._newest_s, time_s
        looks = [_describe_look(face) for face in faces]
        tracks = self._match_tracks(faces, looks, before_s=-math.inf if cut else before_s)
        if cut:  # what the new scene does not show again has ended
            self._tracks = {track.number: track for track in tracks.values()}
        tracked = tuple(
            self._follow(tracks.get(place), face, time_s) for place, face in enumerate(faces)
        )
        self._tracks |= {face.number: face for face in tracked}
        self._looks |= {face.number: look for face, look in zip(tracked, looks, strict=True)}
        self._looks = {number: self._looks[number] for number in self._tracks}
        return tracked

    def _match_tracks(
        self, faces: Sequence[FaceAnalysis], looks: Sequence[Float32Array], before_s: float
    ) -> dict[int, TrackedFace]:
        """Return the track of each face by its place; the largest overlaps are matched first.

        A track that was not seen at ``before_s`` needs a face that looks like it.
        """
        pairs = [
            (box_iou(track.box, face.face.box), place, number)
            for place, face in enumerate(faces)
            for number, track in self._tracks.items()
        ]
        matched: dict[int, TrackedFace] = {}
        taken: set[int] = set()
        for share, place, number in sorted(pairs, reverse=True):
            if share < self.least_overlap or place in matched or number in taken:
                continue
            followed = self._tracks[number].last_s == before_s
            if followed or _is_alike(self._looks[number], looks[place]):
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


def _describe_look(face: FaceAnalysis) -> Float32Array:
    """Return the grey levels of the aligned crop with mean 0 and length 1; zeros if all are one."""
    grey = face.crop.pixels.astype(np.float32)
    centred = (grey - grey.mean()).ravel()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 1 else np.zeros_like(centred)


def _is_alike(one: Float32Array, other: Float32Array) -> bool:
    if not (one.any() or other.any()):  # two blank crops
        return True
    return float(one @ other) >= _SAME_LOOK
